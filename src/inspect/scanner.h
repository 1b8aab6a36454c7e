// Scratch memory of one thread: Hyperscan's, and where its hits are collected.
#pragma once

#include <vector>

#include "inspect/rule_set.h"

namespace gatehouse::inspect {

class DecodedSearch;

struct Scanner::Impl {
  Impl(std::shared_ptr<const RuleSet> set, Categories watched);
  ~Impl();

  // Fills `touched` and `starts` with the places at or after `from` where rules of these categories
  // may match. What lies before `from` is only context.
  void find_starts(std::string_view text, std::size_t from, Categories which);

  std::size_t category_of(std::uint32_t rule) const {
    return static_cast<std::size_t>(rules->rules()[rule].category);
  }

  std::shared_ptr<const RuleSet> rules;
  Categories watched;
  std::unique_ptr<hs_scratch_t, decltype(&hs_free_scratch)> scratch{nullptr, hs_free_scratch};
  std::vector<std::vector<CompiledRule::Starts>> starts;  // by rule; in order of `first`
  std::vector<std::uint32_t> touched;                     // rules that have some
  std::vector<Span> digit_rows;                           // ends of rows that lie close together
  std::vector<Match> matches;                             // reused by scan()
  std::vector<Match> detected;                            // reused for each detector
  std::unique_ptr<DecodedSearch> decoded;                 // reused for each text
};

}  // namespace gatehouse::inspect
