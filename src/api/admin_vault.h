// The administrative calls about kept content (see admin.h for the rest). All are POST, so that
// each has an actor; all are events of the ledger first (gateway/vault_keeper.h).
//
//   /admin/vault/get      {record, which, salt}            -> {info, content (base64)[, salt
//   (hex)]} /admin/vault/list     {limit} or {record}              -> {records: […]}
//   /admin/vault/find     {subject}                        -> {records: [ID…]}
//   /admin/vault/erase    {record} or {subject}, {reason}  -> {erased: [ID…], held: [ID…]}
//   /admin/vault/holds    {}                               -> {holds: […]}
//   /admin/vault/hold     {record} or {subject}, {reason}  -> {hold}
//   /admin/vault/release  {hold, reason}                   -> {hold}
//   /admin/vault/rewrap   {}                               -> {records}
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/config.h"
#include "gateway/vault_keeper.h"

namespace gatehouse::api {

inline constexpr std::string_view vault_prefix = "/admin/vault/";

// `call` is what comes behind the prefix.
Result<std::string> administer_vault(gateway::VaultKeeper& keeper, const gateway::Config& config,
                                     std::string_view call, std::string_view body,
                                     std::string_view actor);

}  // namespace gatehouse::api
