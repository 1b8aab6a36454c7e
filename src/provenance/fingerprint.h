// What is kept of a text: keyed hashes of some of its three-word runs and of its words, from which
// nobody without the key learns a word. Pure functions; Keys is immutable and may be shared.
//
//   terms      one hash a word, 32 bits, sorted, as often as the word stands in the text
//   shingles   of every run of three words a hash of 40 bits; of every four neighbours the smallest
//              is kept (winnowing, Schleimer, Wilkerson and Aiken 2003), sorted, each once
//
// Promise: two texts that share six words in a row share a shingle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/crypto.h"
#include "crypto/short_hash.h"

namespace gatehouse::provenance {

using Term = std::uint32_t;
using Shingle = std::uint64_t;  // below 2^40

inline constexpr std::size_t shingle_words = 3;
inline constexpr std::size_t winnow_window = 4;
inline constexpr unsigned shingle_bits = 40;

// From the deployment secret. Another secret makes fingerprints that nothing matches.
class Keys {
 public:
  explicit Keys(const crypto::Digest& root);

  std::uint64_t word(std::string_view folded) const { return words_(bytes_of(folded)); }
  Shingle shingle(const std::uint64_t* three_words) const;
  const crypto::Digest& journal() const { return journal_; }
  // Who has the same keys has the same name; it says nothing about them.
  std::uint64_t name() const { return name_; }

 private:
  crypto::ShortHash words_;
  crypto::ShortHash shingles_;
  crypto::Digest journal_;
  std::uint64_t name_;
};

struct Fingerprint {
  std::uint32_t words = 0;
  std::vector<Shingle> shingles;
  std::vector<Term> terms;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// At most `most_words` words of the text are looked at.
Fingerprint fingerprint_of(const Keys& keys, std::string_view text, std::size_t most_words);

// A text that is asked about: the same, and where everything stands. Of a text of at most
// `most_unwinnowed` words every run is asked for: of a rewrite that has few runs left, winnowing
// would miss half of those that the output kept.
inline constexpr std::size_t most_unwinnowed = 2'048;
struct Placed {
  Shingle shingle = 0;
  std::uint32_t word = 0;  // its first
};
struct Question {
  std::vector<Term> terms;       // in the order of the text
  std::vector<Placed> shingles;  // the same
};
Question question_of(const Keys& keys, std::string_view text, std::size_t most_words);

}  // namespace gatehouse::provenance
