// See times.h.
#include "flow/times.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "flow/words.h"

namespace gatehouse::flow {
namespace {

constexpr int minutes_a_day = 24 * 60;
constexpr int longest_duration = 31 * minutes_a_day;
constexpr int farthest_weekday = 14;  // days: "Friday" and "next Friday"

std::optional<int> small_number(std::string_view text, std::size_t most_digits = 4) {
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  const auto value = parse_uint(text);
  if (!value) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<Day> day_from(int year, int month, int day) {
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || year < 1900 || year > 2200) return std::nullopt;
  return Day(date);
}

// "2024-05-19", "2024/05/19", "19.05.2024", "05/19/2024" (both ways, where both are days)
std::vector<Day> days_of(std::string_view word) {
  for (const char mark : {'-', '/', '.'}) {
    const auto parts = split(word, mark);
    if (parts.size() != 3) continue;
    const auto a = small_number(parts[0]);
    const auto b = small_number(parts[1]);
    const auto c = small_number(parts[2]);
    if (!a || !b || !c) return {};
    std::vector<Day> days;
    const auto add = [&](int year, int month, int day) {
      if (const auto one = day_from(year, month, day)) days.push_back(*one);
    };
    if (parts[0].size() == 4) {
      add(*a, *b, *c);
    } else if (parts[2].size() == 4) {
      add(*c, *a, *b);
      add(*c, *b, *a);
    }
    return days;
  }
  return {};
}

// "10:00", "10:00:00", "8:30am", "10am"; `afternoon` from the word behind.
std::optional<int> time_of(std::string_view word, std::string_view next) {
  int half = -1;  // 0 am, 1 pm
  const auto take_half = [&](std::string_view text) {
    if (text == "am" || text == "a.m") half = 0;
    if (text == "pm" || text == "p.m") half = 1;
  };
  for (const std::string_view mark : {"am", "pm"}) {
    if (word.size() > 2 && word.ends_with(mark) &&
        std::isdigit(static_cast<unsigned char>(word[word.size() - 3])) != 0) {
      take_half(mark);
      word.remove_suffix(2);
    }
  }
  if (half < 0) take_half(next);
  const auto parts = split(word.substr(0, word.find_first_of("z+")), ':');
  if (parts.size() > 3 || (parts.size() == 1 && half < 0)) return std::nullopt;
  const auto hours = small_number(parts[0], 2);
  const auto minutes = parts.size() > 1 ? small_number(parts[1], 2) : std::optional(0);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  if (half >= 0 && (*hours > 12 || *hours == 0)) return std::nullopt;
  const int hour = half < 0 ? *hours : *hours % 12 + 12 * half;
  return hour * 60 + *minutes;
}

std::optional<unsigned> month_of(std::string_view word) {
  constexpr std::array<std::string_view, 12> names{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};
  if (word.size() < 3) return std::nullopt;
  for (std::size_t at = 0; at < names.size(); ++at)
    if (word == names[at] || word == names[at].substr(0, 3) || (word == "sept" && at == 8))
      return static_cast<unsigned>(at + 1);
  return std::nullopt;
}

std::optional<unsigned> weekday_of(std::string_view word) {
  constexpr std::array<std::string_view, 7> names{"monday", "tuesday",  "wednesday", "thursday",
                                                  "friday", "saturday", "sunday"};
  const auto* found = std::ranges::find(names, word);
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

// "15", "15th", "1st"
std::optional<unsigned> day_number(std::string_view word) {
  for (const std::string_view end : {"st", "nd", "rd", "th"})
    if (word.size() > 2 && word.ends_with(end)) word.remove_suffix(2);
  const auto number = small_number(word, 2);
  if (!number || *number < 1 || *number > 31) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// Minutes one of the unit has.
std::optional<int> unit_of(std::string_view word) {
  if (word == "hour" || word == "hours" || word == "h" || word == "hrs" || word == "hr") return 60;
  if (word == "minute" || word == "minutes" || word == "min" || word == "mins") return 1;
  if (word == "day" || word == "days") return minutes_a_day;
  return std::nullopt;
}

class Reader {
 public:
  Reader(const std::vector<std::string>& words, TimeFacts& facts) : words_(words), facts_(facts) {}

  void read() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      read_moment();
      read_month();
      read_relative();
      read_duration();
    }
  }

 private:
  std::string_view word(std::size_t ahead) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead]) : "";
  }

  void read_moment() {
    const auto text = word(0);
    if (const auto t = text.find('t'); t == 10 && text.size() > 11) {
      for (const auto day : days_of(text.substr(0, t))) facts_.days.insert(day);
      if (const auto time = time_of(text.substr(t + 1), "")) facts_.times.insert(*time);
      return;
    }
    for (const auto day : days_of(text)) facts_.days.insert(day);
    if (const auto time = time_of(text, word(1))) facts_.times.insert(*time);
    if (text == "noon") facts_.times.insert(12 * 60);
    if (text == "midnight") facts_.times.insert(0);
  }

  // "May 15th, 2024", "15 May 2024", "15th of May"
  void read_month() {
    const auto month = month_of(word(0));
    if (!month) return;
    auto day = day_number(word(1));
    auto year = day ? small_number(word(2)) : small_number(word(1));
    if (!day && at_ > 0) {
      const bool of = words_[at_ - 1] == "of" && at_ > 1;
      day = day_number(words_[at_ - (of ? 2 : 1)]);
    }
    if (!day) return;
    if (year && *year >= 1900) {
      if (const auto date = day_from(*year, static_cast<int>(*month), static_cast<int>(*day)))
        facts_.days.insert(*date);
    } else {
      facts_.month_days.insert({*month, *day});
    }
  }

  void read_relative() {
    if (word(0) == "today" || word(0) == "tonight") facts_.offsets.insert(0);
    if (word(0) == "tomorrow") {
      const bool after = at_ >= 2 && words_[at_ - 1] == "after" && words_[at_ - 2] == "day";
      facts_.offsets.insert(after ? 2 : 1);
    }
    if (word(0) == "yesterday") facts_.offsets.insert(-1);
    if (const auto weekday = weekday_of(word(0))) facts_.weekdays.insert(*weekday);
    if (word(0) != "in" && word(0) != "within") return;
    const auto count = count_of(word(1));
    if (!count) return;
    if (word(2) == "days" || word(2) == "day") facts_.offsets.insert(static_cast<int>(*count));
    if (word(2) == "weeks" || word(2) == "week")
      facts_.offsets.insert(static_cast<int>(*count * 7));
  }

  static std::optional<double> count_of(std::string_view text) {
    std::optional<double> count;
    if (const auto number = number_of(text)) count = number->value;
    if (!count) count = number_word(text);
    if (!count && (text == "a" || text == "an")) count = 1;
    if (!count || *count < 0 || *count > 100'000) return std::nullopt;
    return count;
  }

  void read_duration() {
    auto text = word(0);
    auto unit = word(1);
    if (const auto dash = text.find('-'); dash != std::string_view::npos) {  // "1-hour"
      unit = text.substr(dash + 1);
      text = text.substr(0, dash);
    }
    if (text == "half" && unit == "an" && word(2) == "hour") facts_.durations.insert(30);
    const auto minutes = unit_of(unit);
    const auto count = count_of(text);
    if (!minutes || !count) return;
    const double total = *count * *minutes;
    if (total > 0 && total <= longest_duration) facts_.durations.insert(static_cast<int>(total));
  }

  const std::vector<std::string>& words_;
  TimeFacts& facts_;
  std::size_t at_ = 0;
};

}  // namespace

void TimeFacts::add(const std::vector<std::string>& words) {
  Reader(words, *this).read();
}

bool TimeFacts::names(Day day, const std::set<Day>& references) const {
  if (days.contains(day)) return true;
  const std::chrono::year_month_day date(day);
  if (month_days.contains({static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())}))
    return true;
  const unsigned weekday = std::chrono::weekday(day).iso_encoding();
  return std::ranges::any_of(references, [&](Day reference) {
    const auto distance = (day - reference).count();
    return offsets.contains(static_cast<int>(distance)) ||
           (weekdays.contains(weekday) && distance >= 0 && distance <= farthest_weekday);
  });
}

bool is_month(std::string_view word) {
  return month_of(word).has_value();
}

std::optional<Moment> moment_of(std::string_view value) {
  constexpr std::size_t longest = 40;
  value = trim(value);
  if (value.size() > longest) return std::nullopt;
  std::string lowered(value);
  for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::string_view text(lowered);
  const auto cut = text.find_first_of(" t");
  const auto days = days_of(text.substr(0, cut));
  Moment moment;
  if (days.empty()) {
    moment.minutes = time_of(text, "");
    if (!moment.minutes) return std::nullopt;
    return moment;
  }
  if (days.size() > 1 && days[0] != days[1]) return std::nullopt;  // which of them is not known
  moment.day = days.front();
  if (cut == std::string_view::npos) return moment;
  moment.minutes = time_of(trim(text.substr(cut + 1)), "");
  if (!moment.minutes) return std::nullopt;
  return moment;
}

}  // namespace gatehouse::flow
