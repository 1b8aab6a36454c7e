// See flow.h. One value after the other is looked for in the conversation; the order of the
// questions is the order of trust.
//
// Invariants (flow_test.cc)
//   1. A value that stands nowhere in what the user or a trusted tool said is never user or
//   trusted,
//      unless it is computed from what they said.
//   2. More untrusted text never makes a value more trusted.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>

#include "flow/flow.h"
#include "flow/sources.h"

namespace gatehouse::flow {
namespace {

Integrity integrity_of(Standing standing, Integrity context) {
  switch (standing) {
    case Standing::user:
    case Standing::trusted:
      return Integrity::trusted;
    case Standing::unverified:
      return Integrity::unverified;
    case Standing::untrusted:
      return Integrity::untrusted;
    case Standing::derived:
      return context;
  }
  return context;
}

// The less trusted of two; user and trusted give trusted.
Standing worst(Standing a, Standing b) {
  return std::max(a, b);
}

struct Finding {
  Standing standing = Standing::derived;
  Match match = Match::none;
  Confidentiality confidentiality = Confidentiality::public_;
};

// The values of one call, looked for one by one.
class CallTracer {
 public:
  CallTracer(const Sources& sources, const std::map<std::string, Kind, std::less<>>& kinds,
             Kind otherwise)
      : sources_(sources), kinds_(kinds), otherwise_(otherwise) {}

  Result<std::vector<Trace>> trace(std::string_view arguments) {
    if (arguments.size() > Tracer::longest_value)
      return fail(ErrorCode::resource_exhausted, "the arguments are too long to trace");
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::dom::object members;
    if (parser.parse(arguments.data(), arguments.size()).get(document) != simdjson::SUCCESS ||
        document.get_object().get(members) != simdjson::SUCCESS)
      return fail(ErrorCode::invalid_argument, "the arguments are not one JSON object");
    for (const auto [name, member] : members)
      GH_TRY(walk(std::string(name), std::string(name), member, otherwise_, 0));
    return std::move(traces_);
  }

 private:
  // `declared` is the path without the numbers of items.
  Result<void> walk(const std::string& path, const std::string& declared,
                    simdjson::dom::element element, Kind inherited, int depth) {
    constexpr int deepest = 32;
    if (depth > deepest) return fail(ErrorCode::resource_exhausted, "the arguments are too deep");
    const auto known = kinds_.find(declared);
    const Kind kind = known == kinds_.end() ? inherited : known->second;
    if (kind == Kind::none && !has_declared_below(declared)) return {};
    if (element.is_object()) {
      for (const auto [name, member] : element.get_object().value_unsafe()) {
        const std::string key(name);
        // What a member is called may be data as well: {"ada@example.com": "write"}.
        if (!is_plain_name(name)) GH_TRY(add(path + "." + key, find_text(name, Kind::plain)));
        GH_TRY(walk(path + "." + key, declared + "." + key, member, kind, depth + 1));
      }
      return {};
    }
    if (element.is_array()) {
      std::size_t at = 0;
      for (const auto item : element.get_array().value_unsafe())
        GH_TRY(walk(path + "." + std::to_string(at++), declared, item, kind, depth + 1));
      return {};
    }
    if (kind == Kind::none) return {};
    return add(path, find_leaf(element, kind));
  }

  bool has_declared_below(const std::string& declared) const {
    const auto next = kinds_.lower_bound(declared + ".");
    return next != kinds_.end() && next->first.starts_with(declared + ".");
  }

  static bool is_plain_name(std::string_view name) {
    return std::ranges::all_of(
        name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  }

  Result<void> add(const std::string& path, const Finding& found) {
    if (traces_.size() >= Tracer::most_values)
      return fail(ErrorCode::resource_exhausted, "the arguments have too many values to trace");
    const bool derived = found.standing == Standing::derived;
    traces_.push_back({path, found.standing, found.match,
                       integrity_of(found.standing, sources_.context_integrity()),
                       derived ? sources_.context_confidentiality() : found.confidentiality});
    return {};
  }

  Finding find_leaf(simdjson::dom::element element, Kind kind) {
    if (element.is_bool() || element.is_null())
      return {Standing::user, Match::constant, Confidentiality::public_};
    if (element.is_string()) return find_text(element.get_string().value_unsafe(), kind);
    const std::string number = simdjson::minify(element);
    return find_text(number, kind == Kind::plain || kind == Kind::choice ? Kind::number : kind);
  }

  Finding find_text(std::string_view text, Kind kind) {
    const auto words = words_of(text);
    if (words.empty()) {
      const bool empty = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
      if (empty) return {Standing::user, Match::constant, Confidentiality::public_};
      return {};
    }
    if (kind == Kind::time)
      if (const auto moment = moment_of(text)) return find_moment(*moment);
    if (kind == Kind::choice)
      if (const auto choice = find_choice(words); choice.match != Match::none) return choice;
    Finding best = kind == Kind::identifier ? find_identifier(words)
                                            : judge(sources_.holding(words), Match::exact);
    if (best.standing == Standing::user) return best;
    if (kind == Kind::number && words.size() == 1)
      best = better(best, find_number(words.front(), best));
    best = better(best, judge(sources_.holding_compact(words), Match::form));
    if (best.standing == Standing::derived) best = better(best, find_parts(text));
    if (best.standing == Standing::derived && kind == Kind::plain)
      if (const auto moment = moment_of(text)) return find_moment(*moment);
    return best;
  }

  // The one that says more: a whole match before none, the user's before others'. Of two matches in
  // content the less trusted holds.
  static Finding better(const Finding& a, const Finding& b) {
    if (a.match == Match::none) return b;
    if (b.match == Match::none) return a;
    if (a.standing == Standing::user) return a;
    if (b.standing == Standing::user || b.match == Match::computed) return b;
    return a.standing >= b.standing ? a : b;
  }

  // Where it stands, as one answer. What a trusted result has and untrusted text names too may have
  // been chosen by that text, unless the user's own words name the record it is in.
  Finding judge(const std::vector<std::uint32_t>& places, Match match) const {
    std::array<bool, found_standings> stands{};
    std::array<bool, found_standings> selected{};
    std::array<Confidentiality, found_standings> level{};
    for (const auto place : places) {
      const auto& segment = sources_.segment(place);
      auto standing = segment.standing;
      if (standing == Standing::unverified && sources_.selected_by_number(segment.record))
        standing = Standing::trusted;
      const auto at = static_cast<std::size_t>(standing);
      level[at] = std::max(level[at], segment.confidentiality);
      stands[at] = true;
      selected[at] =
          selected[at] || (segment.record != 0 && standing != Standing::untrusted &&
                           (standing != segment.standing || sources_.selected(segment.record)));
    }
    const auto answer = [&](Standing standing) {
      return Finding{standing, match, level[static_cast<std::size_t>(standing)]};
    };
    const auto has = [&](Standing standing) { return stands[static_cast<std::size_t>(standing)]; };
    const auto chosen = [&](Standing standing) {
      return selected[static_cast<std::size_t>(standing)];
    };
    if (has(Standing::user)) return answer(Standing::user);
    if (chosen(Standing::trusted)) return answer(Standing::trusted);
    if (has(Standing::untrusted) && chosen(Standing::unverified))
      return answer(Standing::unverified);
    if (has(Standing::untrusted)) return answer(Standing::untrusted);
    if (has(Standing::unverified)) return answer(Standing::unverified);
    if (!has(Standing::trusted)) return {};
    return answer(sources_.cut() ? Standing::untrusted : Standing::trusted);
  }

  // The key of a record is often a small number, and small numbers stand everywhere: in text it is
  // a name only where it is written like one. Keys of different things are alike, too: one that
  // untrusted text names outright is that text's, although the user's words name some record that
  // has it.
  Finding find_identifier(const std::vector<std::string>& words) const {
    constexpr std::size_t longest = 4;
    auto places = sources_.holding(words);
    const bool is_short = words.size() == 1 && words.front().size() <= longest &&
                          words.front().find_first_not_of("0123456789") == std::string::npos;
    if (!is_short) return judge(places, Match::exact);
    const auto drop = [&](Standing standing) {
      std::erase_if(places, [&](std::uint32_t place) {
        return sources_.segment(place).standing == standing;
      });
    };
    const auto& number = words.front();
    const auto by_user = sources_.naming(number, Standing::user);
    if (by_user == Sources::Naming::not_at_all) drop(Standing::user);
    const auto by_others = sources_.naming(number, Standing::untrusted);
    if (by_user == Sources::Naming::not_at_all && by_others == Sources::Naming::outright)
      return {Standing::untrusted, Match::exact, sources_.context_confidentiality()};
    const bool vouched = std::ranges::any_of(places, [this](std::uint32_t place) {
      return sources_.segment(place).standing < Standing::untrusted;
    });
    if (vouched && by_others == Sources::Naming::not_at_all) drop(Standing::untrusted);
    return judge(places, Match::exact);
  }

  // Found in another form, or computed.
  Finding find_number(std::string_view word, const Finding& as_word) const {
    const auto number = number_of(word);
    if (!number) return {};
    const auto found = better(as_word, judge(sources_.holding_number(number->value), Match::form));
    if (found.standing == Standing::user) return found;
    const auto by_user = computed(number->value, false);
    if (by_user) return *by_user;  // all of it is the user's: who else names it chose nothing
    if (found.match != Match::none) return found;
    return computed(number->value, true).value_or(Finding{});
  }

  // From the user's own numbers, and with `trusted` also from those of trusted results; one of them
  // must be the user's, who then said what to do with the others.
  std::optional<Finding> computed(double wanted, bool trusted) const {
    constexpr std::size_t most_of_user = 64;
    auto own = sources_.numbers(Standing::user);
    if (own.size() > most_of_user) own.resize(most_of_user);
    auto all = own;
    if (trusted)
      all.insert(all.end(), sources_.numbers(Standing::trusted).begin(),
                 sources_.numbers(Standing::trusted).end());
    const Finding found{trusted ? Standing::trusted : Standing::user, Match::computed,
                        trusted ? sources_.context_confidentiality() : Confidentiality::public_};
    for (const auto& a : own)
      for (const auto& b : all)
        if (&a != &b && follows(a, b, own, wanted)) return found;
    return std::nullopt;
  }

  static bool follows(const Number& a, const Number& b, const std::vector<Number>& own,
                      double wanted) {
    if (!a.percent) {
      if (b.percent) return false;
      constexpr double most_shares = 100;
      const bool counts = a.value > 1 && a.value <= most_shares && a.value == std::floor(a.value);
      return same_number(a.value + b.value, wanted) ||
             same_number(std::abs(a.value - b.value), wanted) ||
             (counts &&
              (same_number(a.value * b.value, wanted) || same_number(b.value / a.value, wanted)));
    }
    const double share = a.value / 100 * b.value;
    const auto is = [&](double value) { return same_number(value, wanted); };
    if (is(share) || is(b.value + share) || is(b.value - share)) return true;
    return std::ranges::any_of(own, [&](const Number& more) {
      return !more.percent && (is(share + more.value) || is(b.value + share + more.value));
    });
  }

  // A list in one string: each item by itself.
  Finding find_parts(std::string_view text) {
    constexpr std::string_view marks = ",;\n";
    if (text.find_first_of(marks) == std::string_view::npos) return {};
    Finding all{Standing::user, Match::parts, Confidentiality::public_};
    std::size_t parts = 0;
    while (!text.empty()) {
      const auto end = std::min(text.find_first_of(marks), text.size());
      const auto words = words_of(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (words.empty()) continue;
      const auto found = judge(sources_.holding(words), Match::exact);
      if (found.match == Match::none) return {};
      all.standing = worst(all.standing, found.standing);
      all.confidentiality = std::max(all.confidentiality, found.confidentiality);
      ++parts;
    }
    return parts > 1 ? all : Finding{};
  }

  // An option the user named: "r" of "read", "recurring".
  Finding find_choice(const std::vector<std::string>& words) const {
    if (words.size() != 1 || !sources_.user_word_begins(words.front())) return {};
    return {Standing::user, Match::form, Confidentiality::public_};
  }

  // A date and a time may come from two places; the worse of them counts.
  Finding find_moment(const Moment& moment) {
    Finding result{Standing::user, Match::form, Confidentiality::public_};
    const auto merge = [&](const Finding& part) {
      result.standing = worst(result.standing, part.standing);
      result.match = std::max(result.match, part.match);
      result.confidentiality = std::max(result.confidentiality, part.confidentiality);
    };
    if (moment.day) merge(find_day(*moment.day));
    if (moment.minutes) merge(find_minutes(*moment.minutes));
    if (result.standing >= Standing::unverified) {
      const auto end = find_end(moment);
      if (end.standing < result.standing) result = end;
    }
    if (result.standing <= Standing::trusted) moments_.emplace_back(moment, result.standing);
    if (result.standing == Standing::derived) result.match = Match::none;
    return result;
  }

  template <class Says>
  Finding first_that(Says says) const {
    for (std::size_t at = 0; at < found_standings; ++at) {
      const auto standing = static_cast<Standing>(at);
      if (says(sources_.times(standing)))
        return {standing, Match::form,
                standing == Standing::user ? Confidentiality::public_
                                           : sources_.context_confidentiality()};
    }
    return {};
  }
  Finding find_day(Day day) const {
    const auto found =
        first_that([&](const TimeFacts& facts) { return facts.names(day, sources_.references()); });
    if (found.match != Match::none) return found;
    // The day a trusted tool says it is.
    if (!sources_.references().contains(day)) return {};
    return {Standing::trusted, Match::form, Confidentiality::public_};
  }
  Finding find_minutes(int minutes) const {
    return first_that([&](const TimeFacts& facts) { return facts.times.contains(minutes); });
  }

  // A time that is another of this call, or of the user, and how long the user said it takes.
  Finding find_end(const Moment& moment) const {
    if (!moment.minutes) return {};
    constexpr int day = 24 * 60;
    const auto& user = sources_.times(Standing::user);
    const auto at = [](const Moment& one) {
      return (one.day ? one.day->time_since_epoch().count() * day : 0) + *one.minutes;
    };
    for (const auto& [start, standing] : moments_) {
      if (!start.minutes || start.day.has_value() != moment.day.has_value()) continue;
      if (user.durations.contains(static_cast<int>(at(moment) - at(start))))
        return {worst(standing, Standing::user), Match::computed, Confidentiality::public_};
      for (const auto& [span, of_span] : sources_.spans())
        if (span == at(moment) - at(start) && of_span < Standing::untrusted)
          return {worst(standing, of_span), Match::computed, Confidentiality::public_};
    }
    if (moment.day && find_day(*moment.day).standing != Standing::user) return {};
    for (const int start : user.times)
      if (user.durations.contains(*moment.minutes - start))
        return {Standing::user, Match::computed, Confidentiality::public_};
    return {};
  }

  const Sources& sources_;
  const std::map<std::string, Kind, std::less<>>& kinds_;
  Kind otherwise_;
  std::vector<Trace> traces_;
  std::vector<std::pair<Moment, Standing>> moments_;  // of this call, that were found
};

}  // namespace

std::string_view to_string(Standing standing) {
  constexpr std::array<std::string_view, 5> names{"user", "trusted", "unverified", "untrusted",
                                                  "derived"};
  return names[static_cast<std::size_t>(standing)];
}

std::string_view to_string(Match match) {
  constexpr std::array<std::string_view, 6> names{"none", "constant", "exact",
                                                  "form", "parts",    "computed"};
  return names[static_cast<std::size_t>(match)];
}

struct Tracer::Impl {
  Sources sources;
};

Tracer::Tracer(WallTime now)
    : impl_(std::make_unique<Impl>(Impl{Sources(std::chrono::floor<std::chrono::days>(now))})) {}
Tracer::~Tracer() = default;
Tracer::Tracer(Tracer&&) noexcept = default;

void Tracer::add(const Passage& passage) {
  impl_->sources.add(passage);
}

Integrity Tracer::context_integrity() const {
  return impl_->sources.context_integrity();
}
Confidentiality Tracer::context_confidentiality() const {
  return impl_->sources.context_confidentiality();
}

Result<std::vector<Trace>> Tracer::trace(std::string_view arguments,
                                         const std::map<std::string, Kind, std::less<>>& kinds,
                                         Kind otherwise) const {
  return CallTracer(impl_->sources, kinds, otherwise).trace(arguments);
}

}  // namespace gatehouse::flow
