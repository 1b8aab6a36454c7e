// SCIM 2.0 over the gateway's listener: /scim/v2/… for a directory that has a credential of its
// own, each call decided as action `manage_identities`. On the worker's loop thread; the work is
// api's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/stages.h"

namespace gatehouse::gateway {

inline constexpr std::string_view directory_path = "/scim/v2";
bool is_directory_path(std::string_view path);

// What a path below directory_path names. Read here alone, so that what is decided about is what is
// changed. Nothing: the path is malformed.
struct DirectoryResource {
  std::string kind;  // "Users", "Groups", …
  std::string id;    // decoded; empty: all of them
};
std::optional<DirectoryResource> directory_resource(std::string_view path);

// The whole way of such a call, after identify.
net::Task<Verdict> serve_directory(Worker& worker, net::ServerStream& client, Exchange& exchange);

}  // namespace gatehouse::gateway
