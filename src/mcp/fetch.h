// Asks a server for its tools, as a client of either era, whole list, all pages. For reviews: on a
// loop of its own, blocking, not for loop threads.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "mcp/stdio.h"
#include "net/client.h"

namespace gatehouse::mcp {

struct ServerAddress {
  net::Endpoint endpoint;
  std::string target;
  net::Fields fields;  // credential
  std::string ca;      // PEM file; empty: the system's
};

inline constexpr std::size_t most_pages = 100;

// The results of tools/list, page by page, as JSON. Errors: unavailable, deadline_exceeded;
// invalid_argument: what came is no answer.
Result<std::vector<std::string>> fetch_tools(const ServerAddress& server);
Result<std::vector<std::string>> fetch_tools(StdioServer& server);

}  // namespace gatehouse::mcp
