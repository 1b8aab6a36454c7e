// See reply.h.
#include "export/reply.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace gatehouse::exporter {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds longest_wait{3'600'000};
constexpr std::size_t longest_quote = 200;

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form of a date that may be sent.
std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::size_t length = 29;
  if (text.size() != length || text.substr(3, 2) != ", " || !text.ends_with(" GMT"))
    return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    return parse_uint(text.substr(at, size));
  };
  const auto month = std::ranges::find(months, text.substr(8, 3));
  const auto day = number(5, 2);
  const auto year = number(12, 4);
  const auto hour = number(17, 2);
  const auto minute = number(20, 2);
  const auto second = number(23, 2);
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

// A 64-bit number of protobuf's JSON: a number or a string of digits.
std::uint64_t count_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return 0;
  if (found->is_number_unsigned()) return found->get<std::uint64_t>();
  if (found->is_string()) return parse_uint(found->get_ref<const std::string&>()).value_or(0);
  return 0;
}

}  // namespace

Delivery judge_status(int status) {
  Delivery delivery;
  if (status >= 200 && status < 300) {
    delivery.verdict = Verdict::accepted;
    return delivery;
  }
  delivery.verdict =
      status == 400 || status == 413 || status == 422 ? Verdict::refused : Verdict::retry;
  delivery.error = "the receiver answered " + std::to_string(status);
  if (status == 401 || status == 403) delivery.error += ": its credential is wrong or missing";
  if (status >= 300 && status < 400)
    delivery.error += ": redirects are not followed, set the url it points to";
  return delivery;
}

std::optional<milliseconds> parse_retry_after(std::string_view value, WallTime now) {
  value = trim(value);
  constexpr std::uint64_t most_seconds = 3'600;
  if (const auto seconds = parse_uint(value))
    return std::chrono::seconds(std::min(*seconds, most_seconds));
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  const auto left = std::chrono::ceil<milliseconds>(*date - now);
  return std::clamp(left, milliseconds(0), longest_wait);
}

PartialSuccess parse_partial_success(std::string_view body) {
  PartialSuccess partial;
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    constexpr int deepest = 16;
    too_deep = too_deep || depth > deepest;
    return !too_deep;
  };
  const auto answer = nlohmann::json::parse(body, watch, false);
  if (too_deep || !answer.is_object()) return partial;
  const auto found = answer.find("partialSuccess");
  if (found == answer.end() || !found->is_object()) return partial;
  partial.rejected =
      std::max(count_of(*found, "rejectedLogRecords"), count_of(*found, "rejectedSpans"));
  const auto message = found->find("errorMessage");
  if (message != found->end() && message->is_string())
    partial.message = quote_answer(message->get_ref<const std::string&>());
  return partial;
}

std::string quote_answer(std::string_view body) {
  return printable(utf8_prefix(body, longest_quote));
}

}  // namespace gatehouse::exporter
