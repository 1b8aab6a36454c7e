// Approvals over the administration's socket. JSON in, JSON out, below /admin/approvals/:
//
//   list     {}                                                -> {approvals: […]}
//   show     {approval}                                        -> {approval: {… arguments}}
//   approve  {approval}                                        -> {approval}
//   deny     {approval}                                        -> {approval}
//   grant    {server, tool, principal, lifetime_seconds}       -> {approval}
#pragma once

#include <string>
#include <string_view>

#include "approval/approval.h"
#include "base/result.h"

namespace gatehouse::api {

inline constexpr std::string_view approvals_prefix = "/admin/approvals/";

Result<std::string> administer_approvals(approval::Desk& desk, std::string_view verb,
                                         std::string_view body, std::string_view actor);

}  // namespace gatehouse::api
