#include "inspect/live_prefixes.h"

#include "inspect/rule_set.h"

namespace gatehouse::inspect {
namespace {

unsigned before(std::string_view text, std::size_t at, bool is_open) {
  return is_open ? PrefixStates::no_byte : static_cast<unsigned char>(text[at - 1]);
}

}  // namespace

void LiveStarts::restart() {
  live_.clear();
  end_ = 0;
  first_noted_ = none;
  last_noted_ = 0;
}

// Of a longer piece only what may be open at its end is asked for. What is told is followed.
LiveStarts::Reads LiveStarts::reads(const PrefixStates& states, std::string_view text,
                                    std::size_t base) const {
  using Asked = PrefixAutomaton::Asked;
  const PrefixAutomaton& automaton = states.automaton();
  const std::size_t end = base + text.size();
  const std::size_t from = new_from(states);
  if (wants_told_from(states, end) == end) return {from, {from, from, from}};
  const auto back = [&](std::size_t size) {
    return std::max(from, base + text.size() - std::min(size, text.size()));
  };
  const std::size_t bytes = lives_from(states, end);
  return {bytes,
          {back(automaton.tail(text)), automaton.has(Asked::whole) ? bytes : end,
           back(PrefixAutomaton::told_size)}};
}

void LiveStarts::feed(PrefixStates& states, Categories which, std::string_view text,
                      std::size_t base, std::span<const Begin> begins, BeginFilter::Groups groups,
                      const Reads& reads) {
  const std::size_t asked = reads.begins[static_cast<std::size_t>(PrefixAutomaton::Asked::tail)];
  if (asked > end_) note(frontier(), asked - 1);
  if (reads.bytes != end_ || generation_ != states.generation()) live_.clear();
  end_ = reads.bytes;
  generation_ = states.generation();
  for (const Begin& begin : begins) {
    const std::size_t at = begin.place.at;
    if ((begin.place.groups & groups) == 0 || base + at < end_) continue;
    take_to(states, at, text, base);
    if (states.is_full()) renew(states);
    if (!live_.empty()) take(states, text[at]);
    if (const auto first = states.first(which, begin.before, text[at]); first != PrefixStates::dead)
      add(states, first);
    ++end_;
  }
  take_to(states, text.size(), text, base);
}

// Takes the bytes before text[at], where nothing begins.
void LiveStarts::take_to(PrefixStates& states, std::size_t at, std::string_view text,
                         std::size_t base) {
  while (!live_.empty() && end_ < base + at) {
    if (live_.size() == 1) {
      take_alone(states, at, text, base);
    } else {
      take(states, text[end_ - base]);
      ++end_;
    }
  }
  end_ = base + at;
}

void LiveStarts::renew(PrefixStates& states) {
  std::vector<PrefixStates::State*> kept;
  kept.reserve(live_.size());
  for (Live& live : live_) kept.push_back(&live.state);
  states.renew(kept);
  generation_ = states.generation();
}

// If what was read from there on may be a whole match. Which of several it stands for is not known.
void LiveStarts::note(const Live& live) {
  if ((live.state & PrefixStates::ends) != 0)
    note(live.begin, live.stands_for_more ? end_ : live.begin);
}

// Every start goes on by one byte, or dies; those that come to share a state become one.
void LiveStarts::take(PrefixStates& states, char c) {
  if (states.is_full()) renew(states);
  states.next_turn();
  std::size_t kept = 0;
  for (Live live : live_) {
    live.state = states.step(live.state, c);
    if (live.state == PrefixStates::dead) continue;
    if (end_ + 1 - live.begin > states.automaton().width()) {
      if (!live.stands_for_more) continue;
      live.begin = end_ + 1 - states.automaton().width();
    }
    note(live);
    const std::size_t place = states.mark(live.state, kept);
    if (place != kept) {
      live_[place].stands_for_more = true;
    } else {
      live_[kept++] = live;
    }
  }
  live_.resize(kept);
}

// The same for one start, as far as it is not too old and nothing begins before text[at].
void LiveStarts::take_alone(PrefixStates& states, std::size_t at, std::string_view text,
                            std::size_t base) {
  Live& live = live_.front();
  const std::size_t to = std::min(base + at, live.begin + states.automaton().width());
  do {
    if (end_ == to || states.is_full()) {
      take(states, text[end_ - base]);
      ++end_;
      return;
    }
    live.state = states.step(live.state, text[end_ - base]);
    if (live.state == PrefixStates::dead) return live_.clear();
    note(live);
  } while (++end_ < base + at);
}

// A start at the byte that was taken last.
void LiveStarts::add(PrefixStates& states, PrefixStates::State state) {
  const Live live{end_, state, false};
  note(live);
  const std::size_t place = live_.empty() ? 0 : states.mark(state, live_.size());
  if (place != live_.size()) {
    live_[place].stands_for_more = true;
  } else {
    live_.push_back(live);
  }
}

void LivePrefixes::restart() {
  for (LiveStarts& starts : starts_) starts.restart();
}

std::size_t LivePrefixes::wants_told_from(std::span<const PrefixStates> states, std::size_t end) {
  starts_.resize(states.size());
  std::size_t from = end;
  for (std::size_t i = 0; i < starts_.size(); ++i)
    from = std::min(from, starts_[i].wants_told_from(states[i], end));
  return from;
}

std::size_t LivePrefixes::lives_from(std::span<const PrefixStates> states, std::size_t end) const {
  std::size_t from = end;
  for (std::size_t i = 0; i < starts_.size(); ++i)
    from = std::min(from, starts_[i].lives_from(states[i], end));
  return from;
}

void LivePrefixes::tell(BeginFilter::Groups groups, std::string_view text, std::size_t at) {
  const bool open = at == 0 || ends_escape(text.substr(0, at));
  told_.push_back({{at, groups}, before(text, at, open)});
}

void LivePrefixes::feed(std::span<PrefixStates> states, const BeginFilter& begins, Categories which,
                        std::string_view text, std::size_t base) {
  starts_.resize(states.size());
  reads_.clear();
  wanted_from_.clear();
  for (std::size_t i = 0; i < states.size(); ++i) {
    reads_.push_back(starts_[i].reads(states[i], text, base));
    for (const std::size_t from : reads_.back().begins) wanted_from_.push_back(from - base);
  }
  find_begins(begins, text);
  if (!told_.empty()) {
    begins_.insert(begins_.end(), told_.begin(), told_.end());
    std::ranges::sort(begins_, {}, [](const auto& begin) { return begin.place.at; });
    told_.clear();
  }
  for (std::size_t i = 0; i < states.size(); ++i)
    starts_[i].feed(states[i], which, text, base, begins_, PrefixAutomata::groups_of(i), reads_[i]);
}

// The places where a match may begin. An escape may end before a place, whose last byte then guards
// nothing.
void LivePrefixes::find_begins(const BeginFilter& filter, std::string_view text) {
  begins_.clear();
  const std::size_t from = std::ranges::min(wanted_from_);
  std::size_t at = from - std::min(from, longest_escape);
  std::size_t escape = SIZE_MAX;  // the last one before
  std::size_t next = find_escape(text, at);
  while (at < text.size()) {
    const bool near_escape = escape != SIZE_MAX && at - escape <= longest_escape;
    std::size_t to = std::min(text.size(), at == 0 ? 1 : next + 1);
    if (near_escape) to = std::min(to, escape + longest_escape + 1);
    find_begins(filter, text, at, to, at > 0 && !near_escape);
    at = to;
    if (at <= next) continue;
    escape = next;
    next = find_escape(text, at);
  }
}

// The same in [at, to), of those automata that ask for it.
void LivePrefixes::find_begins(const BeginFilter& filter, std::string_view text, std::size_t at,
                               std::size_t to, bool guarded) {
  while (at < to) {
    std::size_t end = to;
    unsigned wanted = 0;
    for (std::size_t i = 0; i < wanted_from_.size(); ++i) {
      if (wanted_from_[i] <= at) {
        wanted |= 1U << i;
      } else {
        end = std::min(end, wanted_from_[i]);
      }
    }
    places_.clear();
    if (wanted != 0)
      filter.find(text, at, end, static_cast<BeginFilter::Groups>(wanted), guarded, places_);
    for (const BeginFilter::Place& place : places_) {
      const bool open = !guarded && (place.at == 0 || ends_escape(text.substr(0, place.at)));
      begins_.push_back({place, before(text, place.at, open)});
    }
    at = end;
  }
}

std::size_t LivePrefixes::frontier() const {
  std::size_t first = SIZE_MAX;
  for (const LiveStarts& starts : starts_) first = std::min(first, starts.frontier());
  return first;
}

bool LivePrefixes::may_match_before(std::size_t to) const {
  return std::ranges::any_of(starts_,
                             [to](const auto& starts) { return starts.may_match_before(to); });
}

void LivePrefixes::examined(std::size_t to) {
  for (LiveStarts& starts : starts_) starts.examined(to);
}

}  // namespace gatehouse::inspect
