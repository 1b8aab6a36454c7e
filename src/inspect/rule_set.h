// Compiled rules: what the scanner and the filters run on. Immutable after construction except for
// what is made at its first use (each behind its own once_flag), so any thread may use one RuleSet.
//
// Three compiled forms, each from the same pattern tree:
//   triggers    pieces to look for (triggers.h): which rules can match at all, and where they may
//               begin
//   MatchFinder the pattern: decides a match, its end and its span (longest)
//   automata    all patterns' prefixes (prefix_automaton.h): what could still become a match
#pragma once

#include <re2/re2.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>

#include "inspect/byte_class.h"
#include "inspect/detector.h"
#include "inspect/inspect.h"
#include "inspect/match_finder.h"
#include "inspect/neighbours.h"
#include "inspect/prefix_automaton.h"
#include "inspect/rule_source.h"
#include "inspect/triggers.h"

namespace gatehouse::inspect {

// Of a match that begins inside a chosen one so much must lie behind it to count.
inline constexpr std::size_t least_rest = 64;

// Where a rule's matches have reached so far, in one text. A match that lies inside another of its
// rule is seldom of interest, and a text can hold very many: such a start looks only a little far,
// and where it ends as a wide match did it shares that one's verdict.
struct LastMatch {
  std::size_t end = 0;  // of the one that reached furthest, counted or not
  bool wide = false;    // it was longer than CompiledRule::widest_judged_apart
  Span valid;           // one that counts, if it may be chosen
  FinderMemo memo;

  // Whether whatever begins here and is at most this wide goes unseen: it ends so far inside a
  // match that counts that it is not chosen with that one, nor with what would be chosen instead.
  bool hides(std::size_t start, std::size_t width) const {
    return start >= valid.begin && start + width + least_rest <= valid.end;
  }
};

class CompiledRule {
 public:
  static constexpr std::size_t widest_judged_apart = 128;
  // Of a match that lies inside another of its rule no more is looked at.
  static constexpr std::size_t width_inside = 256;

  explicit CompiledRule(RuleSource source);

  const RuleSource& source() const { return source_; }
  // What is looked for.
  const Factor& factor() const { return factor_; }
  // Why RE2 does not take the pattern, if so.
  Result<void> check() const;

  // Where, at or after `from`, matches may begin whose factor ends at `end`.
  struct Starts {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  std::optional<Starts> starts(std::string_view text, std::size_t from, std::size_t end) const;
  // The same by the widths alone.
  std::optional<Starts> starts(std::size_t from, std::size_t end) const;
  // Of a factor that stands at [begin, …).
  std::optional<Starts> starts_before(std::string_view text, std::size_t from,
                                      std::size_t begin) const;
  // The same by the widths alone.
  std::optional<Starts> starts_before(std::size_t from, std::size_t begin) const;
  // Where the beginning of a match may lie about as far before the end of the factor in all of
  // them, the places are tried one by one; otherwise the pattern is run backwards from there.
  bool has_narrow_factor() const { return factor_.end_max - factor_.end_min <= 32; }
  // The first place in [at, stop) where a match can begin, by its first byte and what stands before
  // it; `stop` if there is none.
  std::size_t next_begin(std::string_view text, std::size_t at, std::size_t stop) const;
  // By what stands before it alone. The last byte of an escape is no neighbour.
  bool may_follow(std::string_view text, std::size_t at) const {
    return at == 0 || !source_.not_before.test(static_cast<unsigned char>(text[at - 1])) ||
           ends_escape(text.substr(0, at));
  }
  // The valid match that begins at `start`, if there is one. What follows `text` is known to be
  // nothing, or not to matter: the caller has seen to it (matcher.h). `text` begins at position
  // `base`; starts come in order, and `last` is what the earlier ones left.
  std::optional<Match> confirm(std::string_view text, std::size_t start, std::size_t base,
                               LastMatch& last) const;

 private:
  std::size_t next_begin_in(std::string_view text, std::size_t at, std::size_t stop) const;
  const MatchFinder& finder() const;
  bool allowed(std::string_view value) const;
  bool in_context(std::string_view text, std::size_t start) const;

  RuleSource source_;
  Factor factor_;
  ByteClass first_bytes_;
  ByteClass not_before_;
  ByteClass context_first_;  // bytes that words of context begin with
  ByteClass context_second_;
  mutable std::once_flag once_;
  mutable std::optional<MatchFinder> finder_;
  // Only where the place of the factor varies much.
  mutable std::unique_ptr<re2::RE2> up_to_factor_;
  mutable std::unique_ptr<re2::RE2> before_factor_;
  mutable std::vector<std::unique_ptr<const Recognizer>> allowed_;
};

// A detector whose rules are rules()[first_rule] and following.
struct PlacedDetector {
  std::unique_ptr<const Detector> detector;
  std::uint32_t first_rule = 0;
  Categories categories;
};

struct RuleSet::Impl {
  std::vector<std::string> locales;
  std::vector<Rule> rules;
  std::vector<std::unique_ptr<CompiledRule>> compiled;  // of the first of `rules`: the files'
  std::vector<PlacedDetector> detectors;                // bring the others
  std::uint32_t first_hidden_rule = 0;                  // of those of hidden.h
  std::size_t look_back = context_window;               // what any of them needs before a match
  Searches searches;
  std::string source;
  crypto::Digest digest{};

  // What streams ask; made at the first one.
  const PrefixAutomata& prefixes() const;

 private:
  mutable std::once_flag once_;
  mutable std::unique_ptr<const PrefixAutomata> prefixes_;
};

// The files under rules/ as they were at build time: name, content. Generated.
std::span<const std::pair<std::string_view, std::string_view>> builtin_rule_files();

}  // namespace gatehouse::inspect
