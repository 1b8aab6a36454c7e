#include "inspect/prefix_automaton.h"

#include <algorithm>

#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t most_places = 1024;

bool begins_escape(char c) {
  return c == '\\' || c == '%' || c == '\x1b';
}

}  // namespace

PrefixAutomaton::PrefixAutomaton(const std::vector<std::unique_ptr<CompiledRule>>& rules,
                                 std::size_t above, std::size_t width)
    : width_(width) {
  for (const auto& rule : rules) {
    const RuleSource& source = rule->source();
    const std::size_t widest = std::min(max_width(source.pattern), source.width_limit);
    if (widest <= above || widest > width) continue;
    starts_.push_back({static_cast<std::size_t>(source.rule.category), source.not_before,
                       add(source.pattern, counts_for(source.pattern)).first});
  }
  finish();
  find_pairs();
}

void PrefixAutomaton::find_pairs() {
  pairs_.resize(256);
  std::vector<ByteSet> members(class_count());
  for (unsigned byte = 0; byte < 256; ++byte) members[class_of(static_cast<char>(byte))].set(byte);
  const auto bytes_of = [&](Place place) {
    ByteSet bytes;
    for (unsigned i = 0; i < members.size(); ++i)
      if (takes(place, i)) bytes |= members[i];
    return bytes;
  };
  for (const Start& start : starts_) {
    for (const Place place : start.places) {
      ByteSet behind;
      for (const Place next : after(place)) behind |= bytes_of(next);
      if (after(place).empty()) behind.set();
      const ByteSet first = bytes_of(place);
      for (unsigned byte = 0; byte < 256; ++byte)
        if (first.test(byte)) pairs_[byte] |= behind;
    }
  }
}

std::size_t PrefixAutomaton::count_places(const Pattern& pattern, const Counts& counts) {
  if (pattern->kind == Kind::bytes) return 1;
  std::size_t sum = 0;
  for (const Pattern& child : pattern->children) sum += count_places(child, counts);
  if (pattern->kind == Kind::repeat) sum *= copies_of(pattern, counts);
  return std::min(sum, most_places + 1);
}

// A pattern that comes to too many places is counted less far.
PrefixAutomaton::Counts PrefixAutomaton::counts_for(const Pattern& pattern) {
  static constexpr Counts all[] = {{64, 16, true}, {12, 3, true}, {1, 1, true}};
  for (const Counts& counts : all)
    if (count_places(pattern, counts) <= most_places) return counts;
  return all[std::size(all) - 1];
}

PrefixAutomaton::Places PrefixAutomaton::first(Categories which, unsigned before) const {
  Places places;
  for (const Start& start : starts_) {
    const bool guarded = before < 256 && start.not_before.test(before);
    if (which.test(start.category) && !guarded) append_all(places, start.places);
  }
  sort_once(places);
  return places;
}

std::size_t PrefixStates::Hash::operator()(const Places& places) const {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const PrefixAutomaton::Place place : places) hash = (hash ^ place) * 0x100000001b3;
  return hash;
}

PrefixStates::PrefixStates(const PrefixAutomaton& automaton, std::size_t most)
    : automaton_(automaton), most_(most) {
  restart();
}

void PrefixStates::restart() {
  numbers_.clear();
  all_firsts_.clear();
  firsts_ = nullptr;
  marks_.assign(2, {});
  states_.assign(2, nullptr);  // dead, complete
  rows_.assign(2 * automaton_.class_count(), dead);
}

PrefixStates::State PrefixStates::state_of(Places places) {
  const auto next = static_cast<State>(states_.size());
  const auto [known, is_new] = numbers_.try_emplace(std::move(places), next);
  if (is_new) {
    states_.push_back(&known->first);
    marks_.emplace_back();
    rows_.resize(rows_.size() + automaton_.class_count(), unknown);
  }
  return known->second;
}

void PrefixStates::choose(Categories which) {
  firsts_ = &all_firsts_[which.to_ulong()];
  firsts_->resize((no_byte + 1) * automaton_.class_count(), unknown);
  firsts_of_ = which.to_ulong();
}

PrefixStates::State PrefixStates::find_first(Categories which, unsigned before, char c) {
  const unsigned byte_class = automaton_.class_of(c);
  const State found = step_from(automaton_.first(which, before), byte_class);
  return (*firsts_)[before * automaton_.class_count() + byte_class] = found;
}

PrefixStates::State PrefixStates::find_step(State state, unsigned byte_class) {
  const State found = step_from(*states_[state], byte_class);
  rows_[state * automaton_.class_count() + byte_class] = found;
  return found;
}

PrefixStates::State PrefixStates::step_from(const Places& places, unsigned byte_class) {
  Places next;
  bool alive = false;
  for (const PrefixAutomaton::Place place : places) {
    if (!automaton_.takes(place, byte_class)) continue;
    alive = true;
    append_all(next, automaton_.after(place));
  }
  sort_once(next);
  return !alive ? dead : next.empty() ? complete : state_of(std::move(next));
}

void PrefixStates::renew(std::span<State*> kept) {
  std::vector<Places> places;
  for (const State* state : kept) places.push_back(*state > complete ? *states_[*state] : Places());
  restart();
  ++generation_;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (*kept[i] > complete) *kept[i] = state_of(std::move(places[i]));
}

void LivePrefixes::restart() {
  live_.clear();
  end_ = 0;
  escape_ = SIZE_MAX;
}

void LivePrefixes::feed(PrefixStates& states, Categories which, std::string_view text,
                        std::size_t base) {
  const std::size_t oldest = base + text.size() - std::min(text.size(), states.automaton().width());
  if (end_ < oldest) {  // whatever began before is too old by the end
    go_to(oldest, text, base);
  } else if (generation_ != states.generation()) {  // another text's doing: read again what lives
    go_to(frontier(), text, base);
  }
  generation_ = states.generation();
  for (std::size_t at = end_ - base; at < text.size(); ++at) {
    if (live_.empty()) {
      const std::size_t next = states.automaton().next_begin(text, at);
      if (next > at) go_to(base + next, text, base);
      at = next;
    }
    if (states.is_full()) renew(states);
    const bool escaped = escape_ != SIZE_MAX && base + at - escape_ <= longest_escape &&
                         ends_escape(text.substr(0, at));
    const bool open = (at == 0 && base == 0) || escaped;
    const unsigned before = open ? PrefixStates::no_byte : static_cast<unsigned char>(text[at - 1]);
    states.next_turn();
    if (!live_.empty()) take(states, text[at]);
    if (const auto first = states.first(which, before, text[at]); first != PrefixStates::dead)
      add(states, first);
    ++end_;
    if (begins_escape(text[at])) escape_ = base + at;
  }
}

// As if the text had been fed up to there and nothing lived.
void LivePrefixes::go_to(std::size_t end, std::string_view text, std::size_t base) {
  end_ = end;
  live_.clear();
  const std::size_t known = end_ - base;
  const std::size_t near = known - std::min(known, longest_escape);
  escape_ = SIZE_MAX;
  for (std::size_t at = near; at < known; ++at)
    if (begins_escape(text[at])) escape_ = base + at;
}

void LivePrefixes::renew(PrefixStates& states) {
  std::vector<PrefixStates::State*> kept;
  for (Live& live : live_) kept.push_back(&live.state);
  states.renew(kept);
  generation_ = states.generation();
}

// Every start goes on by one byte, or dies; those that come to share a state become one.
void LivePrefixes::take(PrefixStates& states, char c) {
  std::size_t kept = 0;
  for (Live live : live_) {
    live.state = states.step(live.state, c);
    if (live.state == PrefixStates::dead) continue;
    if (end_ + 1 - live.begin > states.automaton().width()) {
      if (!live.stands_for_more) continue;
      live.begin = end_ + 1 - states.automaton().width();
    }
    const std::size_t place = states.mark(live.state, kept);
    if (place != kept) {
      live_[place].stands_for_more = true;
    } else {
      live_[kept++] = live;
    }
  }
  live_.resize(kept);
}

// A start at the byte that was taken last.
void LivePrefixes::add(PrefixStates& states, PrefixStates::State state) {
  const std::size_t place = states.mark(state, live_.size());
  if (place != live_.size()) {
    live_[place].stands_for_more = true;
  } else {
    live_.push_back({end_, state, false});
  }
}

}  // namespace gatehouse::inspect
