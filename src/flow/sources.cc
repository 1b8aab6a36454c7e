// See sources.h.
#include "flow/sources.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <utility>

namespace gatehouse::flow {
namespace {

constexpr std::size_t most_numbers = 2'000;  // of one standing
constexpr std::size_t most_segments = 200'000;

Standing standing_of(Integrity integrity) {
  switch (integrity) {
    case Integrity::trusted:
      return Standing::trusted;
    case Integrity::unverified:
      return Standing::unverified;
    case Integrity::untrusted:
      return Standing::untrusted;
  }
  return Standing::untrusted;
}

std::int64_t hundredths(double value) {
  constexpr double largest = 1e15;
  return static_cast<std::int64_t>(std::llround(std::clamp(value, -largest, largest) * 100));
}

// "the", "for": a record is not named by such a word alone.
bool distinctive(const std::vector<std::string>& words) {
  constexpr std::size_t shortest = 4;
  return std::ranges::any_of(words, [](const std::string& word) {
    return word.size() >= shortest && std::ranges::any_of(word, [](unsigned char c) {
             return std::isalpha(c) != 0 || c >= 0x80;
           });
  });
}

// Runs of letters and digits: "grocery-list.docx" and "grocery list" share a pair of them.
std::vector<std::string> parts_of(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const auto& word : words) {
    std::string part;
    for (const char c : word + " ") {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) != 0 || byte >= 0x80) {
        part += c;
      } else if (!part.empty()) {
        parts.push_back(std::exchange(part, {}));
      }
    }
  }
  return parts;
}

std::vector<std::string> pairs_of(const std::vector<std::string>& words) {
  constexpr std::size_t shortest = 3;
  const auto parts = parts_of(words);
  std::vector<std::string> pairs;
  for (std::size_t at = 1; at < parts.size(); ++at)
    if (parts[at - 1].size() >= shortest && parts[at].size() >= shortest)
      pairs.push_back(parts[at - 1] + " " + parts[at]);
  return pairs;
}

bool is_letters(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalpha(c) != 0 || c >= 0x80;
  });
}

// Words behind which a number is a name.
bool names_things(std::string_view word) {
  constexpr std::array<std::string_view, 34> words{
      "id",       "ids",    "no",     "nr",     "num",     "number",  "file",
      "document", "doc",    "event",  "email",  "mail",    "message", "item",
      "record",   "entry",  "ticket", "order",  "invoice", "account", "transaction",
      "payment",  "row",    "task",   "delete", "remove",  "send",    "share",
      "open",     "update", "cancel", "move",   "forward", "change"};
  return std::ranges::find(words, word) != words.end() || word.ends_with("_id");
}

}  // namespace

// Walks one JSON result: each value is a segment, and the values of one object a record.
class JsonSource {
 public:
  JsonSource(Sources& sources, const Passage& passage) : sources_(sources), passage_(passage) {}

  void value(simdjson::dom::element element, Standing standing, std::uint32_t record, int depth) {
    constexpr int deepest = 64;
    if (depth > deepest || sources_.segments_.size() > most_segments) {
      sources_.cut_ = true;
      return;
    }
    switch (element.type()) {
      case simdjson::dom::element_type::OBJECT:
        return object(element.get_object().value_unsafe(), standing, record, depth);
      case simdjson::dom::element_type::ARRAY:
        for (const auto item : element.get_array().value_unsafe()) {
          const bool is_record = item.is_object();
          value(item, standing, is_record ? ++sources_.last_record_ : record, depth + 1);
        }
        return;
      case simdjson::dom::element_type::STRING:
        return sources_.add_segment(standing, passage_, element.get_string().value_unsafe(),
                                    record);
      case simdjson::dom::element_type::BOOL:
      case simdjson::dom::element_type::NULL_VALUE:
        return;
      default:
        return sources_.add_segment(standing, passage_, simdjson::minify(element), record);
    }
  }

 private:
  void object(simdjson::dom::object object, Standing standing, std::uint32_t record, int depth) {
    for (const auto [key, member] : object) {
      Standing inner = standing;
      if (passage_.fields != nullptr) {
        const auto field = passage_.fields->find(key);
        if (field != passage_.fields->end()) inner = standing_of(field->second);
      }
      // Names of members may be data too: sizes by file id.
      if (!key.empty()) sources_.add_segment(standing, passage_, key, record);
      value(member, inner, record, depth + 1);
    }
  }

  Sources& sources_;
  const Passage& passage_;
};

Sources::Sources(Day today) {
  references_.insert(today);
}

bool Sources::add_json(const Passage& passage) {
  const auto first = passage.text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (passage.text[first] != '{' && passage.text[first] != '['))
    return false;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(passage.text.data(), passage.text.size()).get(document) != simdjson::SUCCESS)
    return false;
  JsonSource(*this, passage).value(document, standing_of(passage.integrity), ++last_record_, 0);
  return true;
}

void Sources::add(const Passage& passage) {
  if (passage.author == Author::model) return;
  if (passage.author == Author::tool) {
    integrity_ = std::max(integrity_, passage.integrity);
    confidentiality_ = std::max(confidentiality_, passage.confidentiality);
    if (add_json(passage)) return;
  }
  const auto standing =
      passage.author == Author::user ? Standing::user : standing_of(passage.integrity);
  confidentiality_ = std::max(confidentiality_, passage.confidentiality);
  add_segment(standing, passage, passage.text, 0);
}

void Sources::add_segment(Standing standing, const Passage& passage, std::string_view text,
                          std::uint32_t record) {
  if (words_ >= Tracer::most_words || segments_.size() > most_segments) {
    cut_ = true;
    return;
  }
  Segment segment{standing, passage.confidentiality, record, words_of(text)};
  if (words_ + segment.words.size() > Tracer::most_words) {
    cut_ = true;
    segment.words.resize(Tracer::most_words - words_);
  }
  words_ += segment.words.size();
  const auto index = static_cast<std::uint32_t>(segments_.size());
  for (std::uint32_t at = 0; at < segment.words.size(); ++at)
    places_[segment.words[at]].push_back({index, at});
  if (record != 0) records_[record].push_back(index);
  if (standing == Standing::user) {
    user_words_.insert(segment.words.begin(), segment.words.end());
    for (auto& pair : pairs_of(segment.words)) user_pairs_.insert(std::move(pair));
  }
  segments_.push_back(std::move(segment));
  note_facts(segments_.back());
}

void Sources::note_facts(const Segment& segment) {
  const auto standing = static_cast<std::size_t>(segment.standing);
  const auto index = static_cast<std::uint32_t>(segments_.size() - 1);
  if (segment.words.empty()) return;
  times_[standing].add(segment.words);
  note_time_of_record(segment);
  for (const auto& word : segment.words) {
    auto number = number_of(word);
    if (!number && segment.standing == Standing::user)
      if (const auto named = number_word(word)) number = Number{*named, false};
    if (!number) continue;
    auto& places = number_places_[hundredths(number->value)];
    if (places.empty() || places.back() != index) places.push_back(index);
    if (numbers_[standing].size() < most_numbers) numbers_[standing].push_back(*number);
  }
  // A result that is nothing but a day says which day it is.
  const bool says_today = segment.words.size() == 1 && segment.record == 0;
  if (segment.standing == Standing::user || (segment.standing == Standing::trusted && says_today))
    references_.insert(times_[standing].days.begin(), times_[standing].days.end());
}

std::vector<std::uint32_t> Sources::holding(const std::vector<std::string>& words) const {
  std::vector<std::uint32_t> found;
  if (words.empty()) return found;
  const auto first = places_.find(words.front());
  if (first == places_.end()) return found;
  for (const auto& place : first->second) {
    const auto& text = segments_[place.segment].words;
    if (!found.empty() && found.back() == place.segment) continue;
    if (text.size() - place.word < words.size()) continue;
    if (std::equal(words.begin(), words.end(), text.begin() + place.word))
      found.push_back(place.segment);
  }
  return found;
}

std::vector<std::uint32_t> Sources::holding_compact(const std::vector<std::string>& words) const {
  constexpr std::size_t shortest = 6;
  constexpr std::size_t most_compared = 100'000;  // beyond, a value in another form is not found
  std::string wanted;
  for (const auto& word : words) wanted += compact(word);
  std::vector<std::uint32_t> found;
  const bool has_digit =
      std::ranges::any_of(wanted, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (wanted.size() < shortest || !has_digit || words_ > most_compared) return found;
  for (std::uint32_t index = 0; index < segments_.size(); ++index) {
    const auto& text = segments_[index].words;
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
      std::string joined;
      for (std::size_t at = begin; at < text.size() && joined.size() < wanted.size(); ++at) {
        joined += compact(text[at]);
        if (!wanted.starts_with(joined)) break;
      }
      if (joined != wanted) continue;
      found.push_back(index);
      break;
    }
  }
  return found;
}

std::vector<std::uint32_t> Sources::holding_number(double value) const {
  const auto found = number_places_.find(hundredths(value));
  return found == number_places_.end() ? std::vector<std::uint32_t>() : found->second;
}

bool Sources::names_in_user_words(const std::vector<std::string>& words) const {
  if (!distinctive(words)) return false;
  return std::ranges::any_of(holding(words), [this](std::uint32_t index) {
    return segments_[index].standing == Standing::user;
  });
}

bool Sources::selected(std::uint32_t record) const {
  constexpr std::size_t longest_name = 16;  // words; longer texts are no names
  const auto found = records_.find(record);
  if (found == records_.end()) return false;
  return std::ranges::any_of(found->second, [this](std::uint32_t index) {
    const auto& words = segments_[index].words;
    if (words.size() > longest_name) return false;
    if (names_in_user_words(words)) return true;
    return std::ranges::any_of(pairs_of(words),
                               [this](const auto& pair) { return user_pairs_.contains(pair); });
  });
}

bool Sources::selected_by_number(std::uint32_t record) const {
  constexpr double smallest = 10;  // "the 2 mails" names none of them
  const auto& own = numbers_[static_cast<std::size_t>(Standing::user)];
  return std::ranges::any_of(own, [&](const Number& number) {
    if (number.percent || number.value < smallest) return false;
    std::set<std::uint32_t> holders;
    for (const auto place : holding_number(number.value)) {
      const auto& segment = segments_[place];
      if (segment.record != 0 && segment.words.size() == 1 && segment.standing == Standing::trusted)
        holders.insert(segment.record);
    }
    return holders.size() == 1 && *holders.begin() == record;
  });
}

Sources::Naming Sources::naming(const std::string& number, Standing by) const {
  const auto found = places_.find(number);
  if (found == places_.end()) return Naming::not_at_all;
  Naming most = Naming::not_at_all;
  for (const auto& place : found->second) {
    const auto& segment = segments_[place.segment];
    if (segment.standing != by) continue;
    const auto& words = segment.words;
    const std::string_view before = place.word > 0 ? words[place.word - 1] : std::string_view();
    if (names_things(before)) return Naming::outright;
    const bool counts = place.word + 1 < words.size() && is_letters(words[place.word + 1]);
    if (!counts && !is_month(before)) most = Naming::like_a_name;
  }
  return most;
}

void Sources::note_time_of_record(const Segment& segment) {
  constexpr std::size_t most_spans = 2'000;
  constexpr std::size_t most_times = 8;  // of one record
  constexpr std::int64_t longest = 31 * 24 * 60;
  if (segment.record == 0 || segment.words.size() > 2 || spans_.size() >= most_spans) return;
  std::string text = segment.words.front();
  if (segment.words.size() == 2) text += " " + segment.words[1];
  const auto moment = moment_of(text);
  if (!moment || !moment->day || !moment->minutes) return;
  const auto at = moment->day->time_since_epoch().count() * 24 * 60 + *moment->minutes;
  auto& times = record_times_[segment.record];
  for (const auto& [other, standing] : times) {
    const auto span = std::abs(at - other);
    if (span > 0 && span <= longest)
      spans_.emplace_back(static_cast<int>(span), std::max(standing, segment.standing));
  }
  if (times.size() < most_times) times.emplace_back(at, segment.standing);
}

bool Sources::user_word_begins(std::string_view option) const {
  const auto next = user_words_.lower_bound(option);
  return next != user_words_.end() && next->starts_with(option);
}

const TimeFacts& Sources::times(Standing standing) const {
  return times_[static_cast<std::size_t>(standing)];
}

const std::vector<Number>& Sources::numbers(Standing standing) const {
  return numbers_[static_cast<std::size_t>(standing)];
}

}  // namespace gatehouse::flow
