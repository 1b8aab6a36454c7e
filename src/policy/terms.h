// What the values of obligations with terms say. Checked when a set is loaded, so that whoever
// carries them out finds them well-formed. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::policy {

// "30s", "15m", "12h", "7d"; at most 366 days.
Result<std::chrono::seconds> parse_duration(std::string_view text);

// @require_approval("role=approver, count=1, expires=1h"). Each term has that default.
struct ApprovalTerms {
  std::string role = "approver";
  std::size_t count = 1;
  std::chrono::seconds expires{3'600};
  friend bool operator==(const ApprovalTerms&, const ApprovalTerms&) = default;
};
Result<ApprovalTerms> parse_approval_terms(std::string_view text);

// @limit("requests=100/1h, tokens=200000/1d, by=team"): so much in each sliding window. Whose: the
// principal's unless `by` says otherwise. Cost is in millionths of the currency.
enum class LimitUnit : std::uint8_t { requests, tokens, cost, tool_calls };
enum class LimitOwner : std::uint8_t { principal, team, model, route, session };
std::string_view to_string(LimitUnit unit);
std::string_view to_string(LimitOwner owner);
struct Allowance {
  LimitUnit unit = LimitUnit::requests;
  std::int64_t amount = 0;
  std::chrono::seconds window{0};
  friend bool operator==(const Allowance&, const Allowance&) = default;
};
struct LimitTerms {
  std::vector<Allowance> allowances;  // at least one
  LimitOwner owner = LimitOwner::principal;
  friend bool operator==(const LimitTerms&, const LimitTerms&) = default;
};
Result<LimitTerms> parse_limit_terms(std::string_view text);

// @watermark_header("x-ai-generated: true"). The name begins with x- or ai- or gatehouse-, so that
// no policy can write a header the connection lives by.
struct HeaderTerms {
  std::string name;   // lower case
  std::string value;  // "true" where none is given
  friend bool operator==(const HeaderTerms&, const HeaderTerms&) = default;
};
Result<HeaderTerms> parse_header_terms(std::string_view text);

}  // namespace gatehouse::policy
