// "Does every text of this pattern contain a text of that one?" Walks the pattern's automaton
// together with the deterministic automaton that has seen a text of the factor or not. When the
// first can finish while the second has not seen one, the answer is no; it is also no when the walk
// would become too long.
#include <algorithm>
#include <map>
#include <set>

#include "inspect/pattern.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;
constexpr std::size_t max_states = 4000;
constexpr std::size_t max_pairs = 40'000;
constexpr unsigned none = ~0u;

// A nondeterministic automaton with empty steps (Thompson).
struct Automaton {
  struct State {
    ByteSet bytes;  // on these, to `next`
    unsigned next = none;
    std::vector<unsigned> free;  // without a byte
  };
  std::vector<State> states;
  unsigned begin = 0;
  unsigned end = 0;
  bool too_large = false;

  unsigned add() {
    too_large = too_large || states.size() >= max_states;
    if (too_large) return 0;
    states.emplace_back();
    return static_cast<unsigned>(states.size() - 1);
  }
  void link(unsigned from, unsigned to) { states[from].free.push_back(to); }
};

// Builds `pattern` from state `from`; gives the state it ends in.
unsigned build(Automaton& nfa, const Pattern& pattern, unsigned from) {
  if (nfa.too_large) return from;
  switch (pattern->kind) {
    case Kind::empty:
      return from;
    case Kind::bytes: {
      const unsigned to = nfa.add();
      const unsigned step = nfa.add();
      if (nfa.too_large) return from;
      nfa.link(from, step);
      nfa.states[step].bytes = pattern->bytes;
      nfa.states[step].next = to;
      return to;
    }
    case Kind::concat:
      for (const Pattern& child : pattern->children) from = build(nfa, child, from);
      return from;
    case Kind::capture:
      return build(nfa, pattern->children[0], from);
    case Kind::alternate: {
      const unsigned to = nfa.add();
      for (const Pattern& child : pattern->children) {
        const unsigned last = build(nfa, child, from);
        if (!nfa.too_large) nfa.link(last, to);
      }
      return to;
    }
    case Kind::repeat: {
      const Pattern& child = pattern->children[0];
      for (unsigned i = 0; i < pattern->min; ++i) from = build(nfa, child, from);
      const unsigned to = nfa.add();
      if (nfa.too_large) return from;
      nfa.link(from, to);
      if (pattern->max == PatternNode::unbounded) {
        const unsigned loop = nfa.add();
        if (nfa.too_large) return from;
        nfa.link(from, loop);
        const unsigned last = build(nfa, child, loop);
        nfa.link(last, loop);
        nfa.link(last, to);
        return to;
      }
      for (unsigned i = pattern->min; i < pattern->max; ++i) {
        from = build(nfa, child, from);
        nfa.link(from, to);
      }
      return to;
    }
  }
  return from;
}

Automaton automaton_of(const Pattern& pattern) {
  Automaton nfa;
  nfa.begin = nfa.add();
  nfa.end = build(nfa, pattern, nfa.begin);
  return nfa;
}

using StateSet = std::set<unsigned>;

void close(const Automaton& nfa, StateSet& set, unsigned state) {
  if (!set.insert(state).second) return;
  for (const unsigned next : nfa.states[state].free) close(nfa, set, next);
}

// The bytes, parted by what the automaton tells apart.
std::vector<ByteSet> byte_classes(const Automaton& nfa) {
  std::vector<ByteSet> classes = {ByteSet().set()};
  for (const Automaton::State& state : nfa.states) {
    if (state.next == none) continue;
    std::vector<ByteSet> parts;
    for (const ByteSet& whole : classes)
      for (const ByteSet& part : {whole & state.bytes, whole & ~state.bytes})
        if (part.any()) parts.push_back(part);
    classes = std::move(parts);
  }
  return classes;
}

// The deterministic automaton of "has a text of the factor been seen", made as it is walked.
class Seen {
 public:
  explicit Seen(const Automaton& nfa) : nfa_(nfa), classes_(byte_classes(nfa)) {
    StateSet first;
    close(nfa_, first, nfa_.begin);
    start = number_of(std::move(first));
  }

  unsigned start = 0;
  bool found(unsigned state) const { return sets_[state].contains(nfa_.end); }
  // Bytes that are all the same to the factor.
  const std::vector<ByteSet>& classes() const { return classes_; }
  unsigned step(unsigned state, unsigned byte_class) {
    if (found(state)) return state;
    auto& known = steps_[state][byte_class];
    if (known == none) {
      StateSet next;
      close(nfa_, next, nfa_.begin);
      const StateSet from = sets_[state];
      for (const unsigned s : from)
        if (nfa_.states[s].next != none && (nfa_.states[s].bytes & classes_[byte_class]).any())
          close(nfa_, next, nfa_.states[s].next);
      const unsigned number = number_of(std::move(next));
      steps_[state][byte_class] = number;
      return number;
    }
    return known;
  }
  std::size_t size() const { return sets_.size(); }

 private:
  unsigned number_of(StateSet set) {
    const auto [place, is_new] =
        numbers_.emplace(std::move(set), static_cast<unsigned>(sets_.size()));
    if (is_new) {
      sets_.push_back(place->first);
      steps_.emplace_back(classes_.size(), none);
    }
    return place->second;
  }

  const Automaton& nfa_;
  std::vector<ByteSet> classes_;
  std::map<StateSet, unsigned> numbers_;
  std::vector<StateSet> sets_;
  std::vector<std::vector<unsigned>> steps_;
};

enum class Answer : std::uint8_t { no, yes, unknown };

// Whether the pattern has a text of which the factor is (`wanted`) or is not a part.
Answer has_text(const Pattern& pattern, const Pattern& factor, bool wanted) {
  const Automaton text = automaton_of(pattern);
  const Automaton sought = automaton_of(factor);
  if (text.too_large || sought.too_large) return Answer::unknown;
  Seen seen(sought);
  std::set<std::pair<unsigned, unsigned>> visited;
  std::vector<std::pair<unsigned, unsigned>> open = {{text.begin, seen.start}};
  while (!open.empty()) {
    const auto pair = open.back();
    open.pop_back();
    const auto [state, progress] = pair;
    if ((!wanted && seen.found(progress)) || !visited.insert(pair).second) continue;
    if (state == text.end && seen.found(progress) == wanted) return Answer::yes;
    if (visited.size() > max_pairs || seen.size() > max_states) return Answer::unknown;
    for (const unsigned next : text.states[state].free) open.emplace_back(next, progress);
    if (text.states[state].next == none) continue;
    for (unsigned i = 0; i < seen.classes().size(); ++i)
      if ((text.states[state].bytes & seen.classes()[i]).any())
        open.emplace_back(text.states[state].next, seen.step(progress, i));
  }
  return Answer::no;
}

}  // namespace

bool always_contains(const Pattern& pattern, const Pattern& factor) {
  return has_text(pattern, factor, false) == Answer::no;
}

bool never_contains(const Pattern& pattern, const Pattern& factor) {
  return has_text(pattern, factor, true) == Answer::no;
}

}  // namespace gatehouse::inspect
