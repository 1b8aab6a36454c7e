// The texts of bench/provenance.cc: real ones, and what is made of them. See
// bench/provenance_texts.py.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace gatehouse::bench {

struct Text {
  std::string kind;
  bool for_report = false;  // false: thresholds may be set with it
  std::string text;
};

inline std::vector<Text> read_texts(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Text> texts;
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find('\t');
    const auto second = line.find('\t', first + 1);
    if (second == std::string::npos) continue;
    const bool for_report = line.substr(first + 1, second - first - 1) == "report";
    texts.push_back({line.substr(0, first), for_report, line.substr(second + 1)});
  }
  return texts;
}

inline std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

inline std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  for (const auto word : split(text, ' '))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

class Maker {
 public:
  explicit Maker(const std::filesystem::path& texts)
      : indexed(read_texts(texts / "indexed.txt")),
        negatives(read_texts(texts / "negatives.txt")),
        pool_(read_lines(texts / "pool.txt")) {}

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_);
  }
  // Questions do not depend on whether the index was built by the same run.
  void begin_questions(std::uint64_t seed) { engine_.seed(seed); }
  bool with_chance(double chance) { return std::bernoulli_distribution(chance)(engine_); }

  // As long as one of the real outputs.
  std::string recombined() {
    const std::size_t wanted = indexed[below(indexed.size())].text.size();
    std::string text;
    while (text.size() < wanted) {
      text += pool_[below(pool_.size())];
      text += ' ';
    }
    return text;
  }
  // By how often it stands in the pool.
  std::string any_word() {
    const auto words = words_in(pool_[below(pool_.size())]);
    return words.empty() ? "the" : words[below(words.size())];
  }

  std::string excerpt(const std::string& text, std::size_t count) {
    const auto words = words_in(text);
    if (words.size() <= count) return text;
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(below(words.size() - count));
    return joined({begin, begin + static_cast<std::ptrdiff_t>(count)});
  }
  std::string inside(const std::string& excerpted, const std::string& foreign) {
    auto words = words_in(excerpt(foreign, 200));
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(below(words.size() + 1)), excerpted);
    return joined(words);
  }
  enum class Change { mixed, substituted };
  std::string changed(const std::string& text, double share, Change how) {
    std::vector<std::string> out;
    for (auto& word : words_in(text)) {
      if (!with_chance(share)) {
        out.push_back(word);
        continue;
      }
      const auto kind = how == Change::substituted ? 0 : below(3);
      if (kind == 0) out.push_back(any_word());
      if (kind == 2) {
        out.push_back(word);
        out.push_back(any_word());
      }
    }
    return joined(out);
  }

  std::vector<Text> indexed;
  std::vector<Text> negatives;

 private:
  std::vector<std::string> pool_;
  std::mt19937_64 engine_{20261126};
};

}  // namespace gatehouse::bench
