#include "inspect/prefix_automaton.h"

#include <algorithm>

#include "base/result.h"
#include "inspect/byte_shares.h"
#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t most_places = 1024;

// A rule is told apart by the places of its first two bytes, where these are no more.
constexpr std::size_t most_branches = 64;

// Bytes: a match that is no wider is over soon.
constexpr std::size_t brief_width = 32;

// Shares of the pairs of bytes of ordinary text.
constexpr double strict_share = 0.6;
constexpr double fair_share = 0.7;

std::size_t widest(const RuleSource& source) {
  return std::min(max_width(source.pattern), source.width_limit);
}

}  // namespace

Tails tails_of(const RuleSource& source) {
  if (widest(source) <= brief_width) return Tails::brief;
  BytePairs pairs;
  pairs.add(source.pattern);
  const double share = pairs.share();
  if (share <= strict_share) return Tails::strict;
  if (share <= fair_share) return Tails::fair;
  return pairs.has_any('\n') ? Tails::loose : Tails::line;
}

PrefixAutomaton::PrefixAutomaton(std::span<const Member> rules, std::size_t width) : width_(width) {
  const Fragment last = add_bytes({});
  GH_CHECK(last.first == Places{end});
  for (const Member& member : rules) {
    const RuleSource& source = member.rule->source();
    has_[static_cast<std::size_t>(member.asked)] = true;
    if (member.asked == Asked::tail) add_tail(source);
    Fragment whole = add(source.pattern, counts_for(source.pattern));
    append(whole, last);
    starts_.push_back({static_cast<std::size_t>(source.rule.category), source.not_before,
                       std::move(whole.first), member.asked});
  }
  finish();
}

void PrefixAutomaton::add_tail(const RuleSource& source) {
  Tail& tail = tails_[static_cast<std::size_t>(tails_of(source))];
  tail.pairs.add(source.pattern);
  tail.width = std::max(tail.width, widest(source));
}

std::size_t PrefixAutomaton::tail(std::string_view text) const {
  std::size_t size = 1;
  for (const Tail& tail : tails_)
    size = std::max(size, tail.pairs.tail(text, std::min(tail.width, text.size())));
  return size;
}

void PrefixAutomaton::add_beginnings(std::size_t first_group,
                                     std::vector<BeginFilter::Beginning>& all) const {
  std::vector<ByteSet> members(class_count());
  for (unsigned byte = 0; byte < 256; ++byte) members[class_of(static_cast<char>(byte))].set(byte);
  const auto bytes_of = [&](const Places& places) {
    ByteSet bytes;
    if (std::ranges::binary_search(places, end)) return bytes.set();
    for (const Place place : places)
      for (unsigned i = 0; i < members.size(); ++i)
        if (takes(place, i)) bytes |= members[i];
    return bytes;
  };
  const auto add_branch = [&](const Start& start, Place first, Places places) {
    BeginFilter::Beginning one{
        first_group + static_cast<std::size_t>(start.asked), ~start.not_before, {}};
    one.bytes[0] = bytes_of({first});
    for (std::size_t i = 1; i < BeginFilter::depth; ++i) {
      one.bytes[i] = bytes_of(places);
      Places next;
      for (const Place place : places) append_all(next, place == end ? Places{end} : after(place));
      sort_once(next);
      places = std::move(next);
    }
    all.push_back(one);
  };
  for (const Start& start : starts_) {
    std::size_t branches = 0;
    for (const Place first : start.places) branches += after(first).size();
    for (const Place first : start.places) {
      const auto seconds = after(first);
      if (branches > most_branches) {
        add_branch(start, first, {seconds.begin(), seconds.end()});
      } else {
        for (const Place second : seconds) add_branch(start, first, {second});
      }
    }
  }
}

PrefixAutomata::PrefixAutomata(const std::vector<std::unique_ptr<CompiledRule>>& rules,
                               std::span<const std::size_t> told_within) {
  using Asked = PrefixAutomaton::Asked;
  std::vector<PrefixAutomaton::Member> ordinary;
  std::vector<PrefixAutomaton::Member> others;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const RuleSource& source = rules[i]->source();
    const bool is_loose = tails_of(source) == Tails::loose;
    const bool is_wide = widest(source) > ordinary_width;
    const bool is_told = (is_loose || is_wide) && told_within[i] <= PrefixAutomaton::told_size;
    const Asked asked = is_told ? Asked::told : is_loose ? Asked::whole : Asked::tail;
    (is_wide ? others : ordinary).push_back({rules[i].get(), asked});
    const std::size_t group =
        (is_wide ? PrefixAutomaton::ways_of_asking : 0) + static_cast<std::size_t>(Asked::told);
    told_.push_back(static_cast<BeginFilter::Groups>(is_told ? 1U << group : 0U));
  }
  all_.emplace_back(ordinary, ordinary_width);
  all_.emplace_back(others, long_width);
  std::vector<BeginFilter::Beginning> beginnings;
  for (std::size_t i = 0; i < all_.size(); ++i)
    all_[i].add_beginnings(i * PrefixAutomaton::ways_of_asking, beginnings);
  begins_.build(beginnings);
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
  marks_.assign(1, {});
  states_.assign(1, nullptr);
  rows_.assign(automaton_.class_count(), dead);
}

PrefixStates::State PrefixStates::state_of(const Places& places) {
  const bool is_end = places.front() == PrefixAutomaton::end;
  const auto next = static_cast<State>(states_.size() | (is_end ? ends : 0U));
  const auto [known, is_new] = numbers_.try_emplace(places, next);
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
  const State found = step_from(*states_[number(state)], byte_class);
  rows_[row(state) + byte_class] = found;
  return found;
}

PrefixStates::State PrefixStates::step_from(const Places& places, unsigned byte_class) {
  const Places& next = steps_.after(automaton_, places, byte_class);
  return next.empty() ? dead : state_of(next);
}

void PrefixStates::renew(std::span<State*> kept) {
  std::vector<Places> places;
  for (const State* state : kept) places.push_back(*states_[number(*state)]);
  restart();
  ++generation_;
  for (std::size_t i = 0; i < kept.size(); ++i) *kept[i] = state_of(places[i]);
}

}  // namespace gatehouse::inspect
