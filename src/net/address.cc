#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <system_error>

namespace gatehouse::net {
namespace {

std::string describe_error(int error_number) {
  return std::generic_category().message(error_number);
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

const sockaddr* as_sockaddr(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

// A socket file that nobody answers on was left by a process that died.
void remove_stale_socket(const SocketAddress& address, const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (probe.get() < 0) return;
  if (::connect(probe.get(), as_sockaddr(address), address.size) != 0 && errno == ECONNREFUSED)
    ::unlink(path.c_str());
}

Result<SocketAddress> address_to_bind(const ListenAddress& address) {
  if (!address.unix_path.empty()) return unix_address(address.unix_path);
  const auto numeric = numeric_address(address.host, address.port);
  if (numeric) return *numeric;
  return fail(ErrorCode::invalid_argument, "not an IPv4 or IPv6 address",
              describe_address(address));
}

// Accepted sockets inherit these on Linux.
void set_tcp_options(int descriptor, const ListenAddress& address) {
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (address.reuse_port) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

}  // namespace

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress address;
  auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof(un.sun_path))
    return fail(ErrorCode::invalid_argument, "a unix socket path has 1 to 107 bytes", path);
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return std::nullopt;
}

Result<std::vector<SocketAddress>> resolve_name(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return fail(ErrorCode::unavailable, ::gai_strerror(error), host);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(ErrorCode::unavailable, "the name has no address", host);
  return addresses;
}

std::string describe_address(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

std::string describe_address(const ListenAddress& address) {
  if (!address.unix_path.empty()) return "unix:" + address.unix_path;
  return address.host + ":" + std::to_string(address.port);
}

Result<int> open_listener(const ListenAddress& address) {
  GH_ASSIGN(const SocketAddress target, address_to_bind(address));
  const bool is_unix = !address.unix_path.empty();
  Descriptor descriptor(
      ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0)
    return fail(ErrorCode::resource_exhausted, describe_error(errno), describe_address(address));
  if (is_unix) {
    remove_stale_socket(target, address.unix_path);
    ::fchmod(descriptor.get(), 0600);  // before bind: the file never has a wider mode
  } else {
    set_tcp_options(descriptor.get(), address);
  }
  if (::bind(descriptor.get(), as_sockaddr(target), target.size) != 0 ||
      ::listen(descriptor.get(), SOMAXCONN) != 0) {
    const int error_number = errno;
    return fail(error_number == EADDRINUSE ? ErrorCode::already_exists : ErrorCode::unavailable,
                "cannot listen: " + describe_error(error_number), describe_address(address));
  }
  if (is_unix) ::chmod(address.unix_path.c_str(), 0600);
  return descriptor.release();
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  if (bound.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return 0;
}

}  // namespace gatehouse::net
