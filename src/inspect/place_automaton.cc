#include "inspect/place_automaton.h"

#include <algorithm>

namespace gatehouse::inspect {

using Kind = PatternNode::Kind;

namespace {

bool is_loose(const Pattern& repeat) {
  return repeat->max - repeat->min > 4 && repeat->children[0]->kind == Kind::bytes &&
         repeat->children[0]->bytes.count() <= 128;
}

}  // namespace

void append_all(PlaceAutomaton::Places& to, std::span<const PlaceAutomaton::Place> from) {
  to.insert(to.end(), from.begin(), from.end());
}

void sort_once(PlaceAutomaton::Places& places) {
  std::ranges::sort(places);
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

const PlaceAutomaton::Places& PlaceSteps::after(const PlaceAutomaton& automaton,
                                                const PlaceAutomaton::Places& places,
                                                unsigned byte_class) {
  after_.clear();
  seen_.resize(automaton.size());
  for (const PlaceAutomaton::Place place : places) {
    if (!automaton.takes(place, byte_class)) continue;
    for (const PlaceAutomaton::Place next : automaton.after(place)) {
      if (seen_[next]) continue;
      seen_[next] = true;
      after_.push_back(next);
    }
  }
  for (const PlaceAutomaton::Place place : after_) seen_[place] = false;
  std::ranges::sort(after_);
  return after_;
}

PlaceAutomaton::Fragment PlaceAutomaton::add(const Pattern& pattern, const Counts& counts) {
  switch (pattern->kind) {
    case Kind::empty:
      return {};
    case Kind::bytes:
      return add_bytes(pattern->bytes);
    case Kind::capture:
      return add(pattern->children[0], counts);
    case Kind::concat: {
      Fragment whole;
      for (const Pattern& child : pattern->children) append(whole, add(child, counts));
      return whole;
    }
    case Kind::alternate: {
      Fragment whole{false, {}, {}};
      for (const Pattern& child : pattern->children) {
        const Fragment branch = add(child, counts);
        whole.nullable = whole.nullable || branch.nullable;
        append_all(whole.first, branch.first);
        append_all(whole.last, branch.last);
      }
      return whole;
    }
    case Kind::repeat:
      return add_repeat(pattern, counts);
  }
  return {};
}

PlaceAutomaton::Fragment PlaceAutomaton::add_bytes(const ByteSet& bytes) {
  const auto [known, is_new] = set_ids_.emplace(bytes.to_string(), byte_sets_.size());
  if (is_new) byte_sets_.push_back(bytes);
  const auto place = static_cast<Place>(places_.size());
  places_.push_back({known->second, {}});
  return {false, {place}, {place}};
}

unsigned PlaceAutomaton::longest_count(const Pattern& repeat, const Counts& counts) {
  const bool of_bytes = repeat->children[0]->kind == Kind::bytes;
  if (counts.loose_stretches && is_loose(repeat)) return std::min(repeat->min, counts.of_bytes);
  return of_bytes ? counts.of_bytes : counts.of_groups;
}

// How many times the child of a repeat stands there.
unsigned PlaceAutomaton::copies_of(const Pattern& repeat, const Counts& counts) {
  const unsigned longest = longest_count(repeat, counts);
  return repeat->max > longest ? std::max(1U, std::min(repeat->min, longest)) : repeat->max;
}

std::size_t PlaceAutomaton::count_places(const Pattern& pattern, const Counts& counts) {
  constexpr std::size_t most = 1 << 16;
  if (pattern->kind == Kind::bytes) return 1;
  std::size_t sum = 0;
  for (const Pattern& child : pattern->children) sum += count_places(child, counts);
  if (pattern->kind == Kind::repeat) sum *= copies_of(pattern, counts);
  return std::min(sum, most);
}

// A copy of the child for each time; the last of them again and again where there is no bound.
PlaceAutomaton::Fragment PlaceAutomaton::add_repeat(const Pattern& pattern, const Counts& counts) {
  const Pattern& child = pattern->children[0];
  const unsigned copies = copies_of(pattern, counts);
  const bool endless = pattern->max > longest_count(pattern, counts);
  const unsigned least = std::min(pattern->min, copies);
  Fragment whole;
  for (unsigned i = 0; i < copies; ++i) {
    Fragment copy = add(child, counts);
    if (endless && i + 1 == copies) link(copy.last, copy.first);
    copy.nullable = copy.nullable || i >= least;
    append(whole, std::move(copy));
  }
  return whole;
}

void PlaceAutomaton::append(Fragment& whole, Fragment part) {
  link(whole.last, part.first);
  if (whole.nullable) append_all(whole.first, part.first);
  if (!part.nullable) whole.last.clear();
  append_all(whole.last, part.last);
  whole.nullable = whole.nullable && part.nullable;
}

void PlaceAutomaton::link(const Places& from, const Places& to) {
  for (const Place place : from) append_all(places_[place].next, to);
}

void PlaceAutomaton::finish() {
  for (Node& place : places_) sort_once(place.next);
  part_bytes();
}

// Bytes that are in the same sets are of one class.
void PlaceAutomaton::part_bytes() {
  std::map<std::string, std::uint8_t> known;
  sets_.assign(byte_sets_.size(), {});
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string members;
    for (const ByteSet& set : byte_sets_) members += set.test(byte) ? '1' : '0';
    const auto [found, is_new] =
        known.emplace(std::move(members), static_cast<std::uint8_t>(known.size()));
    classes_[byte] = found->second;
    if (!is_new) continue;
    for (std::size_t i = 0; i < byte_sets_.size(); ++i)
      if (byte_sets_[i].test(byte)) sets_[i].set(found->second);
  }
  class_count_ = known.size();
  set_ids_.clear();
}

}  // namespace gatehouse::inspect
