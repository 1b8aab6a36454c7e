// SCIM 2.0 over the gateway's listener: /scim/v2/… for a directory that has a credential of its
// own, each call decided as action `manage_identities`. On the worker's loop thread; the work is
// api's.
#pragma once

#include "gateway/stages.h"

namespace gatehouse::gateway {

inline constexpr std::string_view directory_path = "/scim/v2";
bool is_directory_path(std::string_view path);

// The whole way of such a call, after identify.
net::Task<Verdict> serve_directory(Worker& worker, net::ServerStream& client, Exchange& exchange);

}  // namespace gatehouse::gateway
