// Scratch memory of one thread: Hyperscan's, and where its hits are collected.
#pragma once

#include <vector>

#include "inspect/gates.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {

class DecodedSearch;

// A stretch of the text, and where it stands among those that were put together.
struct Part {
  Span span;
  std::size_t at = 0;
};

struct Scanner::Impl {
  Impl(std::shared_ptr<const RuleSet> set, Categories watched);
  ~Impl();

  // Fills `touched` and `starts` with the places at or after `from` where rules of these categories
  // may match. What lies before `from` is only context.
  void find_starts(std::string_view text, std::size_t from, Categories which);

  // Fills `digit_rows` as find_starts() does.
  void find_digit_rows(std::string_view text, std::size_t from);
  void search_near_digits(std::string_view text, std::size_t from, Categories which);
  void search_near_tokens(std::string_view text, std::size_t from, Categories which);

  // What the starts of streams go through, one for each of RuleSet::Impl::prefixes().
  std::vector<PrefixStates>& prefix_states();

  // Of a text that begins. The detector's memory is this scanner's.
  std::unique_ptr<TextReader> reader(std::size_t detector);

  std::size_t category_of(std::uint32_t rule) const {
    return static_cast<std::size_t>(rules->rules()[rule].category);
  }

  std::shared_ptr<const RuleSet> rules;
  Categories watched;
  Scratch scratch{nullptr, hs_free_scratch};
  std::vector<PieceStates> piece_states;                  // by Search::number
  std::vector<std::vector<CompiledRule::Starts>> starts;  // by rule; in order of `first`
  std::vector<std::uint32_t> touched;                     // rules that have some
  std::vector<DigitRow> digit_rows;                       // of the text under way
  std::vector<Span> tokens;
  std::vector<Part> parts;  // of the search under way
  std::string gathered;
  std::vector<Match> matches;                               // reused by scan()
  std::vector<Match> detected;                              // reused for each detector
  std::vector<std::unique_ptr<Detector::Memory>> memories;  // by detector; made when first wanted
  std::vector<PrefixStates> prefixes;                       // empty before the first stream
  std::unique_ptr<DecodedSearch> decoded;                   // reused for each text
};

}  // namespace gatehouse::inspect
