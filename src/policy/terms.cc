// See terms.h.
#include "policy/terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "base/text.h"

namespace gatehouse::policy {
namespace {

constexpr std::size_t longest_role = 128;
constexpr std::size_t most_approvers = 16;
constexpr std::chrono::seconds longest_window = std::chrono::days(366);
constexpr std::chrono::seconds longest_expiry = std::chrono::days(31);
constexpr std::uint64_t most_amount = 1'000'000'000'000'000;
constexpr std::size_t longest_header = 256;

constexpr std::array<std::string_view, 4> unit_names = {"requests", "tokens", "cost", "tool_calls"};
constexpr std::array<std::string_view, 5> owner_names = {"principal", "team", "model", "route",
                                                         "session"};

using Term = std::pair<std::string_view, std::string_view>;

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

// "a=1, b=2"; each name once.
Result<std::vector<Term>> read_terms(std::string_view text) {
  std::vector<Term> terms;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const std::string_view name = trim(part.substr(0, equals));
    if (equals == std::string_view::npos || name.empty())
      return wrong(
          fmt::format("\"{}\" is no term; write NAME=VALUE, separated by commas", trim(part)));
    if (std::ranges::find(terms, name, &Term::first) != terms.end())
      return wrong(fmt::format("{} is given twice", name));
    terms.emplace_back(name, trim(part.substr(equals + 1)));
  }
  return terms;
}

template <class Enum, std::size_t size>
std::optional<Enum> parse_name(const std::array<std::string_view, size>& names,
                               std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

Result<void> read_approval_term(const Term& term, ApprovalTerms& terms) {
  const auto& [name, value] = term;
  if (name == "role") {
    if (value.empty() || value.size() > longest_role)
      return wrong("role is the name of a role or group");
    terms.role = value;
  } else if (name == "count") {
    const auto count = parse_uint(value);
    if (!count || *count < 1 || *count > most_approvers)
      return wrong(
          fmt::format("count is a number from 1 to {}, not \"{}\"", most_approvers, value));
    terms.count = static_cast<std::size_t>(*count);
  } else if (name == "expires") {
    GH_ASSIGN(terms.expires, parse_duration(value));
    if (terms.expires > longest_expiry) return wrong("expires is at most 31 days");
  } else {
    return wrong(fmt::format("there is no term {}; known are role, count, expires", name));
  }
  return {};
}

// "100/1h"
Result<Allowance> read_allowance(LimitUnit unit, std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto amount = parse_uint(trim(text.substr(0, slash)));
  if (slash == std::string_view::npos || !amount || *amount > most_amount)
    return wrong(
        fmt::format("{} is AMOUNT/WINDOW as in 100/1h, not \"{}\"", to_string(unit), text));
  Allowance allowance{unit, static_cast<std::int64_t>(*amount), {}};
  GH_ASSIGN(allowance.window, parse_duration(trim(text.substr(slash + 1))));
  return allowance;
}

bool is_header_name(std::string_view name) {
  const bool allowed = std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return allowed &&
         (name.starts_with("x-") || name.starts_with("ai-") || name.starts_with("gatehouse-"));
}

}  // namespace

std::string_view to_string(LimitUnit unit) {
  return unit_names[static_cast<std::size_t>(unit)];
}

std::string_view to_string(LimitOwner owner) {
  return owner_names[static_cast<std::size_t>(owner)];
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> units = {
      {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
  const auto* unit =
      text.empty() ? units.end()
                   : std::ranges::find(units, text.back(), &std::pair<char, std::int64_t>::first);
  const auto number =
      unit == units.end() ? std::nullopt : parse_uint(text.substr(0, text.size() - 1));
  if (!number || *number == 0 ||
      *number > static_cast<std::uint64_t>(longest_window.count() / unit->second))
    return wrong(
        fmt::format("\"{}\" is no time; write 30s, 15m, 12h or 7d, at most 366 days", text));
  return std::chrono::seconds(static_cast<std::int64_t>(*number) * unit->second);
}

Result<ApprovalTerms> parse_approval_terms(std::string_view text) {
  ApprovalTerms terms;
  if (trim(text).empty()) return terms;
  GH_ASSIGN(const auto list, read_terms(text));
  for (const Term& term : list) GH_TRY(read_approval_term(term, terms));
  return terms;
}

Result<LimitTerms> parse_limit_terms(std::string_view text) {
  LimitTerms terms;
  GH_ASSIGN(const auto list, read_terms(text));
  for (const auto& [name, value] : list) {
    if (name == "by") {
      const auto owner = parse_name<LimitOwner>(owner_names, value);
      if (!owner) return wrong(fmt::format("by is one of: {}", fmt::join(owner_names, ", ")));
      terms.owner = *owner;
      continue;
    }
    const auto unit = parse_name<LimitUnit>(unit_names, name);
    if (!unit)
      return wrong(
          fmt::format("there is no term {}; known are by, {}", name, fmt::join(unit_names, ", ")));
    GH_ASSIGN(const Allowance allowance, read_allowance(*unit, value));
    terms.allowances.push_back(allowance);
  }
  if (terms.allowances.empty()) return wrong("nothing is limited; write requests=100/1h");
  return terms;
}

Result<HeaderTerms> parse_header_terms(std::string_view text) {
  const std::size_t colon = text.find(':');
  HeaderTerms terms;
  terms.name = to_lower(trim(text.substr(0, colon)));
  terms.value =
      colon == std::string_view::npos ? "true" : std::string(trim(text.substr(colon + 1)));
  if (text.size() > longest_header || !is_header_name(terms.name))
    return wrong(fmt::format(
        "\"{}\" is no header a policy may write; its name begins with x-, ai- or gatehouse-",
        terms.name));
  const bool visible =
      std::ranges::all_of(terms.value, [](char c) { return c >= ' ' && c <= '~'; });
  if (terms.value.empty() || !visible) return wrong("the value of the header is visible ASCII");
  return terms;
}

}  // namespace gatehouse::policy
