// Administration of tokens and principals. A part of admin.h's calls:
//
//   POST /admin/tokens           {principal, for: […], scope, lifetime_seconds, once}  -> {token,
//   id} POST /admin/tokens/revoke    {id}                                                  -> {}
//   POST /admin/principals/suspend  {principal}                                        -> {}
//   POST /admin/principals/restore  {principal}                                        -> {}
//   GET  /admin/revocations                                     -> {tokens: […], principals: […]}
//
// `for`: whom it acts for, nearest first. `scope`: as at the token endpoint.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/control.h"

namespace gatehouse::api {

bool is_token_call(std::string_view method, std::string_view path);

// `changed` is set when state changed. Blocking.
Result<std::string> administer_tokens(gateway::ControlPlane& control, const gateway::Config& config,
                                      std::string_view path, std::string_view body,
                                      std::string_view actor, bool& changed);

}  // namespace gatehouse::api
