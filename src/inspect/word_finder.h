// Whether a text has one of some words in it. One look at each pair of bytes, whatever the number
// of words: for lists that are asked about many times in one text.
#pragma once

#include <algorithm>
#include <bitset>
#include <span>
#include <string_view>
#include <vector>

namespace gatehouse::inspect {

class WordFinder {
 public:
  // Words of two bytes or more, which must live as long.
  explicit WordFinder(std::span<const std::string_view> words)
      : words_(words.begin(), words.end()) {
    std::ranges::sort(words_, {}, pair_of);
    for (const std::string_view word : words_) pairs_.set(pair_of(word));
  }

  bool is_any_in(std::string_view text) const {
    for (; text.size() >= 2; text.remove_prefix(1))
      if (pairs_.test(pair_of(text)) && begins_with_any(text)) return true;
    return false;
  }

 private:
  static std::size_t pair_of(std::string_view text) {
    return std::size_t{static_cast<unsigned char>(text[0])} << 8 |
           static_cast<unsigned char>(text[1]);
  }
  bool begins_with_any(std::string_view text) const {
    const auto same = std::ranges::equal_range(words_, pair_of(text), {}, pair_of);
    return std::ranges::any_of(same,
                               [text](std::string_view word) { return text.starts_with(word); });
  }

  std::vector<std::string_view> words_;
  std::bitset<1u << 16> pairs_;
};

}  // namespace gatehouse::inspect
