// Approvals over the administration's socket. JSON in, JSON out, below /admin/approvals/:
//
//   list     {}                                                -> {approvals: […]}
//   show      {approval}                                       -> {approval: {… arguments}}
//   approve   {approval, reason}                               -> {approval}
//   deny      {approval, reason}                               -> {approval}
//   grant     {server, tool, principal, lifetime_seconds}      -> {approval}
//   withdraw  {approval}                                       -> {approval}
//   link      {approval, for, lifetime_seconds}                -> {path, expires}
//
// Over HTTP the same verbs are gateway/administer_approvals.h's, where policies decide about them;
// `link` is at the node only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/control.h"

namespace gatehouse::api {

inline constexpr std::string_view approvals_prefix = "/admin/approvals/";

Result<std::string> administer_approvals(gateway::ControlPlane& control, std::string_view verb,
                                         std::string_view body, std::string_view actor);

}  // namespace gatehouse::api
