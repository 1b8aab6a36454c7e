// HTTP/1.1 client on one loop: a pool of kept-alive connections per endpoint.
//
// Invariants
//   1. A request is sent again by the pool at most once, and only when a reused connection turned
//   out
//      to be closed before it took a single byte of it.
//   2. Deadlines are absolute per phase: connect, first byte, between body reads.
//   3. Cancelling closes the connection at once; it never goes back to the pool.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/tls.h"

namespace gatehouse::net {

struct Endpoint {
  std::string host;  // name or address
  std::uint16_t port = 80;
  bool tls = false;
  std::string unix_path;  // when set, connect there instead
  std::string base_path;  // of the URL, no trailing slash: "" or "/v2"

  // "https://api.example.com/v2", "http://127.0.0.1:9000", "unix:/path"
  static Result<Endpoint> parse(std::string_view url);
  std::string authority() const;  // Host field: port only when not the default
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct ClientLimits {
  std::size_t header_bytes = 32u << 10;
  std::size_t idle_connections = 256;  // kept per endpoint
  std::size_t connections = 4'096;     // open per endpoint; beyond it resource_exhausted
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{60'000};
  std::chrono::milliseconds read_timeout{60'000};  // between two reads of the body
  std::chrono::milliseconds idle_timeout{30'000};
};

class ClientStream {
 public:
  virtual ~ClientStream() = default;  // fully read: back to the pool; otherwise closed
  virtual const ResponseHead& head() const = 0;
  // Appends what has arrived to `out`; false when the body is complete. Errors: data_loss (the
  // message was cut), deadline_exceeded, cancelled.
  virtual Task<Result<bool>> read_some(std::string& out) = 0;
  // The whole body; resource_exhausted beyond max_bytes.
  virtual Task<Result<std::string>> read_all(std::size_t max_bytes) = 0;
};

class ClientPool {
 public:
  ClientPool(Loop& loop, ClientLimits limits, std::shared_ptr<TlsContext> tls);
  ~ClientPool();

  // Sends head (Host and framing are added here; target gets the endpoint's base path in front) and
  // body, and waits for the answer's head. `cancel` may be null; it must outlive the stream.
  // Errors: unavailable (not connected, nothing sent: another upstream may be tried), data_loss
  // (sent, connection lost), deadline_exceeded, cancelled, invalid_argument (answer is not HTTP).
  // What is referred to must stay until the task has ended.
  Task<Result<std::unique_ptr<ClientStream>>> request(const Endpoint& endpoint,
                                                      const RequestHead& head,
                                                      const std::string& body,
                                                      CancelSource* cancel);
  void close_idle();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
