// See fingerprint.h.
#include "provenance/fingerprint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "provenance/words.h"

namespace gatehouse::provenance {
namespace {

crypto::Digest derived(const crypto::Digest& root, std::string_view purpose) {
  return crypto::derive_key(root, purpose);
}

std::uint64_t first_bytes(const crypto::Digest& digest) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data(), sizeof(value));
  return value;
}

std::vector<std::uint64_t> hashes_of_words(const Keys& keys, std::string_view text,
                                           std::size_t most_words) {
  std::vector<std::uint64_t> hashes;
  if (most_words == 0) return hashes;
  hashes.reserve(std::min(most_words, text.size() / 5 + 1));
  for_each_word(text, [&](const Word& word) {
    hashes.push_back(keys.word(word.text));
    return hashes.size() < most_words;
  });
  return hashes;
}

std::vector<Placed> all_shingles(const Keys& keys, const std::vector<std::uint64_t>& words) {
  std::vector<Placed> all;
  if (words.size() < shingle_words) return all;
  all.resize(words.size() - shingle_words + 1);
  for (std::size_t at = 0; at < all.size(); ++at)
    all[at] = {keys.shingle(&words[at]), static_cast<std::uint32_t>(at)};
  return all;
}

// The smallest of each window, of equal ones the last; a text shorter than a window has its own
// smallest.
std::vector<Placed> winnowed(const std::vector<Placed>& all) {
  std::vector<Placed> kept;
  if (all.empty()) return kept;
  const std::size_t window = std::min(winnow_window, all.size());
  constexpr auto none = static_cast<std::size_t>(-1);
  std::size_t last = none;
  for (std::size_t begin = 0; begin + window <= all.size(); ++begin) {
    std::size_t smallest = begin;
    for (std::size_t at = begin + 1; at < begin + window; ++at)
      if (all[at].shingle <= all[smallest].shingle) smallest = at;
    if (smallest != last) kept.push_back(all[smallest]);
    last = smallest;
  }
  return kept;
}

std::vector<Term> terms_of(const std::vector<std::uint64_t>& words) {
  std::vector<Term> terms(words.size());
  std::ranges::transform(words, terms.begin(),
                         [](std::uint64_t word) { return static_cast<Term>(word); });
  return terms;
}

}  // namespace

Keys::Keys(const crypto::Digest& root)
    : words_(derived(root, "gatehouse provenance words")),
      shingles_(derived(root, "gatehouse provenance shingles")),
      journal_(derived(root, "gatehouse provenance journal")),
      name_(first_bytes(derived(root, "gatehouse provenance name"))) {}

Shingle Keys::shingle(const std::uint64_t* three_words) const {
  const auto bytes = std::as_bytes(std::span(three_words, shingle_words));
  return shingles_(bytes) >> (64u - shingle_bits);
}

Fingerprint fingerprint_of(const Keys& keys, std::string_view text, std::size_t most_words) {
  const auto words = hashes_of_words(keys, text, most_words);
  Fingerprint fingerprint;
  fingerprint.words = static_cast<std::uint32_t>(words.size());
  fingerprint.terms = terms_of(words);
  std::ranges::sort(fingerprint.terms);
  for (const auto& placed : winnowed(all_shingles(keys, words)))
    fingerprint.shingles.push_back(placed.shingle);
  std::ranges::sort(fingerprint.shingles);
  const auto repeated = std::ranges::unique(fingerprint.shingles);
  fingerprint.shingles.erase(repeated.begin(), repeated.end());
  return fingerprint;
}

Question question_of(const Keys& keys, std::string_view text, std::size_t most_words) {
  const auto words = hashes_of_words(keys, text, most_words);
  auto shingles = all_shingles(keys, words);
  if (words.size() > most_unwinnowed) shingles = winnowed(shingles);
  return {.terms = terms_of(words), .shingles = std::move(shingles)};
}

}  // namespace gatehouse::provenance
