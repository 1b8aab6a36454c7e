// What says that a rule may match, and where its matches could begin: pieces that no match can be
// without. Immutable once built; on any thread.
//
// A rule is looked for by one of six searches (inspect_property_test.cc compares with RE2 alone):
//   near_glued   its matches all contain two letters and two digits: around such places (gates.h)
//   in_rows      its matches are rows of at least seven digits: in those
//   near_rows    its matches all contain seven digits in a row, and what it is looked for by lies
//                near them: a few bytes around such rows
//   near_tokens  a rare piece of it stands in a long run of letters and digits: in those
//   words        it demands context and its matches all contain two digits: in front of digits
//   everywhere   all others
// What is looked for is a rare piece of the pattern, or the words of the context that is demanded.
// A search has three ways to look: most pieces by their first bytes (piece_finder.h), rows of bytes
// that crowds of digits are full of by shifted bits (row_finder.h), and by Hyperscan those few that
// begin like ordinary text.
#pragma once

#include <hs/hs.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/piece_finder.h"
#include "inspect/row_finder.h"

namespace gatehouse::inspect {

class CompiledRule;

using Database = std::unique_ptr<hs_database_t, decltype(&hs_free_database)>;
using Scratch = std::unique_ptr<hs_scratch_t, decltype(&hs_free_scratch)>;

struct Trigger {
  enum class Kind : std::uint8_t { factor, context };
  Kind kind = Kind::factor;
  std::uint32_t index = 0;  // of a factor: its rule; of a context: in Search::words
};

// A word that some rules demand.
struct ContextWord {
  std::size_t size = 0;
  std::vector<std::uint32_t> rules;  // in rising order
};

// A row of bytes that stands in the matches of a rule.
struct PlacedRow {
  std::uint32_t rule = 0;
  std::uint32_t size = 0;        // bytes
  std::uint32_t before_min = 0;  // so many bytes lie between the match's beginning and the row's
  std::uint32_t before_max = 0;
};

// So many bytes before something and behind it.
struct Reach {
  std::size_t before = 0;
  std::size_t behind = 0;

  std::size_t sum() const { return before + behind; }
  void include(const Reach& other) {
    before = std::max(before, other.before);
    behind = std::max(behind, other.behind);
  }
};

struct Search {
  Database database{nullptr, hs_free_database};  // may be null: nothing to look for
  std::vector<Trigger> triggers;                 // by expression of the database
  std::vector<ContextWord> words;
  PieceFinder pieces;  // their numbers are those of triggers
  RowFinder rows;      // their numbers are those of placed_rows
  std::vector<PlacedRow> placed_rows;
  std::size_t margin = 0;  // how far from a row or token its hits may lie
  Reach row_reach;         // how far those of `rows` may lie from rows of digits
  std::size_t number = 0;  // among the searches

  bool empty() const { return !looks_for_others() && rows.empty(); }
  bool looks_for_others() const { return database != nullptr || !pieces.empty(); }
};

// A row of fewer digits is not worth a look at in_rows and near_rows.
inline constexpr std::size_t digits_of_factors = 7;

// A rule that the searches tell of only where all of the match is there.
inline constexpr std::size_t never_told = SIZE_MAX;

inline constexpr std::size_t search_count = 6;

struct Searches {
  Search everywhere;
  Search near_glued;
  Search in_rows;
  Search near_rows;
  Search near_tokens;
  Search words;
  Scratch scratch{nullptr, hs_free_scratch};
  // By rule: where the text has so many bytes more behind the beginning of what may become a match,
  // the searches tell of it.
  std::vector<std::size_t> told_within;

  std::array<const Search*, search_count> all() const {
    return {&everywhere, &near_glued, &in_rows, &near_rows, &near_tokens, &words};
  }
};

Result<Searches> build_searches(const std::vector<std::unique_ptr<CompiledRule>>& rules);

}  // namespace gatehouse::inspect
