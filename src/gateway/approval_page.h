// The pages of a signed link, and the form they send back. Everything that stands in them came from
// outside and is escaped; there is no script and nothing is loaded. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "approval/approval.h"

namespace gatehouse::gateway {

// What an approver is shown before they decide. `person`: who they are taken for.
std::string approval_page(const approval::Record& record, std::string_view person);
// A page that says one thing.
std::string notice_page(std::string_view title, std::string_view text);

// What the form said. Nothing: it is not that form.
struct FormDecision {
  bool approve = false;
  std::string reason;
};
inline constexpr std::size_t longest_form = 8u << 10;
std::optional<FormDecision> read_decision(std::string_view body);

// Content-Security-Policy of these pages.
inline constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'";

}  // namespace gatehouse::gateway
