// Socket addresses: from configuration to the kernel and back. No event loop here.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/server.h"

namespace gatehouse::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<SocketAddress> unix_address(const std::string& path);
// An address in numbers, IPv4 or IPv6; nullopt for names.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);
// Asks the system's resolver: blocks.
Result<std::vector<SocketAddress>> resolve_name(const std::string& host, std::uint16_t port);

// "203.0.113.7:51234", "[2001:db8::1]:51234", "unix"
std::string describe_address(const sockaddr_storage& address);
// "127.0.0.1:8080" or the path, for messages.
std::string describe_address(const ListenAddress& address);

// A listening, non-blocking socket. A stale unix socket file is replaced, a living one is not.
Result<int> open_listener(const ListenAddress& address);
std::uint16_t bound_port(int descriptor);

}  // namespace gatehouse::net
