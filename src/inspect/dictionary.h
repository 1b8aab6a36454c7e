// A deployment's own values (names of customers, account numbers), found exactly and kept as keyed
// hashes alone: whoever reads the file without the key learns how many values there are, and no
// value.
//
// A value's normal form: characters folded (fold.h), ASCII letters small, words set apart by one
// space whatever stood between them, numbers beside one another joined. "O'Brien, Ada" in the list
// is "o brien ada" in a text; "12-345 678" is "12345678". Found is a row of whole words, up to
// three bytes and no line break between two, whose normal form is in the list.
//
// The file: one line of JSON (name, kind, category, p_value, salt, key_check, values, prefixes,
// words), then the sorted hashes of the values and those of their first words, 8 bytes each, little
// end first. A hash is SipHash-2-4 keyed with HMAC-SHA-256(key, salt), 64 bits: a text's row of
// words is taken for one of n values by chance once in 2^64 / n times. The hashes of first words
// make the filter that most text does not pass.
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "crypto/short_hash.h"
#include "inspect/detector.h"

namespace gatehouse::inspect {

struct DictionarySpec {
  std::string name;  // the rule is "dictionary-<name>"
  std::string kind;  // "CUSTOMER"
  Category category = Category::custom;
  double p_value = 1e-3;  // how rare such words are in texts that do not mean them
};

struct BuiltDictionary {
  std::string file;
  std::size_t values = 0;   // different ones
  std::size_t skipped = 0;  // too short, too long or too many words
};

// The key for dictionaries, of the deployment's secret.
crypto::Digest dictionary_key(std::string_view deployment_secret);

// Normal form of a value or nothing: five digits or four letters at least, at most six words and
// 128 bytes.
std::string normal_form(std::string_view value);

Result<BuiltDictionary> build_dictionary(const std::vector<std::string>& values,
                                         const DictionarySpec& spec, const crypto::Digest& key,
                                         Random& random);

class Dictionary {
 public:
  // Refuses what build_dictionary did not write, and another key.
  static Result<std::shared_ptr<const Dictionary>> parse(std::string_view file,
                                                         const crypto::Digest& key);

  const Rule& rule() const { return rule_; }
  const crypto::Digest& digest() const { return digest_; }  // of the file
  std::size_t size() const { return values_.size(); }
  std::size_t most_words() const { return most_words_; }
  bool may_begin_with(std::string_view first_word) const;
  bool contains(std::string_view normal) const;

 private:
  explicit Dictionary(const crypto::Digest& table_key) : hash_(table_key) {}

  Rule rule_;
  crypto::ShortHash hash_;
  crypto::Digest digest_{};
  std::size_t most_words_ = 1;
  std::vector<std::uint64_t> values_;  // sorted
  std::vector<std::uint64_t> filter_;  // bits, by the low bits of a first word's hash
  std::uint64_t filter_mask_ = 0;
};

std::unique_ptr<const Detector> make_dictionary_detector(std::shared_ptr<const Dictionary> all);

}  // namespace gatehouse::inspect
