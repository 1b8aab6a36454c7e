#include "inspect/recognizer.h"

#include <algorithm>
#include <map>

#include "inspect/place_automaton.h"

namespace gatehouse::inspect {
namespace {

constexpr std::int64_t regex_memory = 1 << 20;

// An automaton has at most so many states, which are sets of at most so many places, and comes from
// a pattern of so many: it takes less than a millisecond to make then, and some sixteen kilobytes.
constexpr std::size_t most_states = 256;
constexpr std::size_t most_in_states = 2048;
constexpr std::size_t most_places = 256;

}  // namespace

class StateAutomaton : private PlaceAutomaton {
 public:
  explicit StateAutomaton(const Pattern& pattern) {
    // Repeats are counted as far as there is room.
    constexpr unsigned all = PatternNode::unbounded - 1;
    static constexpr Counts all_counts[] = {{all, all, false}, {8, 2, false}, {1, 1, false}};
    for (const Counts& counts : all_counts) {
      if (count_places(pattern, counts) > most_places) continue;
      is_exact_ = &counts == all_counts;
      build(pattern, counts);
      break;
    }
  }

  bool is_complete() const { return is_exact_ && is_whole_; }

  struct Answer {
    bool is_known = false;
    std::optional<std::size_t> end;
  };
  // Where the longest text of the pattern ends that begins here.
  Answer longest(std::string_view text, std::size_t begin, std::size_t limit) const {
    const State* const rows = rows_.data();
    std::size_t end = SIZE_MAX;
    State state = first_;
    for (std::size_t at = begin; (state & ~ends) != 0; ++at) {
      if ((state & ends) != 0) end = at;
      if (at >= limit) break;
      state = rows[(state & ~ends) + class_of(text[at])];
    }
    if (state == unknown || (!is_exact_ && end != SIZE_MAX)) return {};
    return {true, end == SIZE_MAX ? std::nullopt : std::optional(end)};
  }

 private:
  using State = std::uint16_t;           // where its row begins
  static constexpr State ends = 0x8000;  // beside a state: a text ends there
  static constexpr State dead = 0;
  static constexpr State unknown = ends;

  void build(const Pattern& pattern, const Counts& counts) {
    Fragment whole = add(pattern, counts);
    const Place end = add_bytes({}).first.front();
    append(whole, {false, {end}, {end}});
    sort_once(whole.first);
    finish();
    make_states(whole.first, end);
  }

  void make_states(const Places& first, Place end) {
    const std::size_t classes = class_count();
    const std::size_t most = std::min(most_states, (ends - 1) / classes);
    std::map<Places, std::size_t> numbers;
    std::vector<const Places*> states{nullptr};
    std::size_t built = 1;
    const auto state_of = [&](const Places& places) -> State {
      const auto [known, is_new] = numbers.try_emplace(places, states.size());
      if (is_new) states.push_back(&known->first);
      if (known->second >= most) return unknown;
      const bool is_end = std::ranges::binary_search(places, end);
      return static_cast<State>(known->second * classes | (is_end ? ends : 0));
    };
    first_ = state_of(first);
    rows_.assign(classes, dead);
    PlaceSteps steps;
    std::size_t in_states = 0;
    for (; built < std::min(states.size(), most); ++built) {
      in_states += states[built]->size();
      if (in_states > most_in_states) break;
      for (unsigned byte_class = 0; byte_class < classes; ++byte_class) {
        const Places& next = steps.after(*this, *states[built], byte_class);
        rows_.push_back(next.empty() ? dead : state_of(next));
      }
    }
    is_whole_ = built == states.size();
    for (State& state : rows_)
      if ((state & ~ends) >= built * classes) state = unknown;
  }

  bool is_exact_ = false;  // it counts repeats as the pattern does
  bool is_whole_ = false;  // it has all states
  State first_ = unknown;
  std::vector<State> rows_;  // of each state, by class of byte
};

Recognizer::Recognizer(const Pattern& pattern)
    : automaton_(std::make_unique<const StateAutomaton>(pattern)) {
  if (!automaton_->is_complete())
    regex_ = std::make_unique<const re2::RE2>(to_regex(pattern, false), regex_options());
}
Recognizer::~Recognizer() = default;

std::optional<std::size_t> Recognizer::longest(std::string_view text, std::size_t begin,
                                               std::size_t limit) const {
  const auto answer = automaton_->longest(text, begin, limit);
  if (answer.is_known) return answer.end;
  re2::StringPiece found;
  if (!regex_->Match(regex_piece(text), begin, limit, re2::RE2::ANCHOR_START, &found, 1))
    return std::nullopt;
  return begin + found.size();
}

bool Recognizer::is_one(std::string_view text, std::size_t begin, std::size_t end) const {
  const auto answer = automaton_->longest(text, begin, end);
  if (answer.is_known) return answer.end == end;
  return regex_->Match(regex_piece(text), begin, end, re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_longest_match(true);
  options.set_log_errors(false);
  options.set_max_mem(regex_memory);
  return options;
}

}  // namespace gatehouse::inspect
