// What the name detector has learned: filters of names, places and dictionary words, and the
// weights of hashed features. A text file (rules/models/names-2.model), versioned:
//
//   gatehouse-names 2         the second way in which features are made and hashed
//   <key>: <value>           the card: data, licence, date, figures; any keys
//   threshold: <person> <address> <location>
//   filter <class> <bytes>   given, surname, place, word; base64 in lines follows
//   weights <stage> <slots>  first, second; base64 in lines follows: four int8 a slot
//   end
//
// Immutable, shared by all threads.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "inspect/name_lexicon.h"

namespace gatehouse::inspect {

enum class NameKind : std::uint8_t { none, person, address, location };
inline constexpr std::size_t name_kinds = 4;

enum class NameList : std::uint8_t { given, surname, place, word };
inline constexpr std::size_t name_lists = 4;
std::string_view to_string(NameList list);
constexpr std::uint8_t bit_of(NameList list) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(list));
}

// A set of hashes that may also hold what was never put in (about one in fifty): five bits in one
// 64-bit word each.
class NameFilter {
 public:
  NameFilter() : words_(1) {}
  explicit NameFilter(std::size_t entries);
  static Result<NameFilter> parse(std::string_view bytes);

  // What all filters ask of a hash: made once.
  struct Key {
    explicit Key(std::uint64_t hash) {
      hash *= 0x9E3779B97F4A7C15U;
      hash ^= hash >> 32;
      place = hash >> 32;
      const std::uint64_t mix = hash * 0xD6E8FEB86659FD93U;
      for (unsigned i = 0; i < 5; ++i) bits |= std::uint64_t{1} << (mix >> (64 - 6 * (i + 1)) & 63);
    }
    std::uint64_t place = 0;  // in 2^32
    std::uint64_t bits = 0;
  };

  void insert(std::uint64_t hash) { words_[place(Key(hash))] |= Key(hash).bits; }
  bool contains(const Key& key) const { return (words_.data()[place(key)] & key.bits) == key.bits; }
  bool contains(std::uint64_t hash) const { return contains(Key(hash)); }
  std::string serialize() const;

 private:
  std::size_t place(const Key& key) const {
    return static_cast<std::size_t>(key.place * words_.size() >> 32);
  }

  std::vector<std::uint64_t> words_;
};

using NameScores = std::array<std::int32_t, name_kinds>;

using NameWeights = std::array<std::int8_t, name_kinds>;

enum class NameStage : std::uint8_t { first, second };
inline constexpr std::size_t name_stages = 2;

// The weights of one stage's features, by their hash; several features may share some.
class NameWeightTable {
 public:
  NameWeightTable() : slots_(1) {}
  explicit NameWeightTable(std::size_t slots) : slots_(slots) {}

  static std::size_t slots_of(NameStage stage) {
    return stage == NameStage::first ? 48U << 10 : 8U << 10;
  }
  static std::size_t slot(std::uint64_t feature, std::size_t slots) {
    return static_cast<std::size_t>((feature >> 32) * slots >> 32);
  }
  // Of all kinds at once.
  class Sum {
   public:
    explicit Sum(const NameWeightTable& table, const NameScores& from = {}) : table_(table) {
      std::memcpy(&sum_, from.data(), sizeof sum_);
    }
    void add(std::uint64_t feature) {
      const auto& slots = table_.slots_;
      Weights weights;
      std::memcpy(&weights, slots.data() + slot(feature, slots.size()), sizeof weights);
      sum_ += __builtin_convertvector(weights, Scores);
    }
    NameScores scores() const { return __builtin_bit_cast(NameScores, sum_); }

   private:
    using Weights = std::int8_t __attribute__((ext_vector_type(4)));
    using Scores = std::int32_t __attribute__((ext_vector_type(4)));
    static_assert(name_kinds == 4);

    const NameWeightTable& table_;
    Scores sum_;
  };
  std::vector<NameWeights>& slots() { return slots_; }
  const std::vector<NameWeights>& slots() const { return slots_; }

 private:
  std::vector<NameWeights> slots_;
};

struct NameModel {
  static Result<NameModel> parse(std::string_view text);
  std::string serialize() const;

  Lexicon lexicon;
  std::array<NameFilter, name_lists> filters;
  std::array<NameWeightTable, name_stages> weights;
  std::array<std::int32_t, name_kinds> threshold{};  // what a kind must be ahead of none by
  std::vector<std::pair<std::string, std::string>> card;
};

// The one compiled in (rules/models/names-2.model at build time). Generated.
std::string_view builtin_name_model();

}  // namespace gatehouse::inspect
