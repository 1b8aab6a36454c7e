#include "inspect/piece_automaton.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

constexpr unsigned longest_counted_group = 8;

}  // namespace

void PieceAutomaton::add(const Pattern& piece, std::uint32_t number) {
  add(piece, number, {longest_counted, longest_counted_group, false});
}

void PieceAutomaton::add_loosely(const Pattern& piece, std::uint32_t number) {
  add(piece, number, {longest_counted, longest_counted_group, true});
}

void PieceAutomaton::add(const Pattern& piece, std::uint32_t number, const Counts& counts) {
  Fragment whole = PlaceAutomaton::add(piece, counts);
  const Fragment end = add_bytes({});
  numbers_.emplace(end.first.front(), number);
  append(whole, end);
  append_all(first_, whole.first);
}

std::uint32_t PieceAutomaton::piece_of(Place place) const {
  return numbers_.lower_bound(place)->second;
}

void PieceAutomaton::build() {
  sort_once(first_);
  finish();
}

PieceStates::PieceStates(const PieceAutomaton& automaton, std::size_t most)
    : automaton_(&automaton), most_(most) {
  restart();
}

std::size_t PieceStates::Hash::operator()(const Places& places) const {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const PlaceAutomaton::Place place : places) hash = (hash ^ place) * 0x100000001b3;
  return hash;
}

void PieceStates::restart() {
  numbers_.clear();
  states_.assign(1, nullptr);  // dead
  ended_.assign(1, {});
  rows_.assign(automaton_->class_count(), dead);
  state_of(automaton_->first());  // initial
}

PieceStates::State PieceStates::state_of(const Places& places) {
  const auto [known, is_new] = numbers_.try_emplace(places, static_cast<State>(states_.size()));
  if (is_new) {
    states_.push_back(&known->first);
    std::vector<std::uint32_t>& ended = ended_.emplace_back();
    for (const PlaceAutomaton::Place place : known->first)
      if (automaton_->is_end(place)) ended.push_back(automaton_->number_of(place));
    rows_.resize(rows_.size() + automaton_->class_count(), unknown);
  }
  return known->second;
}

PieceStates::State PieceStates::find_step(State state, unsigned byte_class) {
  if (is_full()) {
    const Places kept = *states_[state];
    restart();
    state = state_of(kept);
  }
  const Places& next = steps_.after(*automaton_, *states_[state], byte_class);
  State found = next.empty() ? dead : state_of(next);
  if (found != dead && !ended_[found].empty()) found |= ends;
  return rows_[state * automaton_->class_count() + byte_class] = found;
}

}  // namespace gatehouse::inspect
