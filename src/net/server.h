// HTTP/1.1 server on one loop. Each connection is one coroutine; requests on a connection are
// handled one after the other (pipelined ones wait in a bounded buffer). The handler gets one
// ServerStream for each request and must respond exactly once, or abort(). A handler that throws
// has its request answered with 500, or cut off where an answer was begun.
//
// Invariants
//   1. A message that the validator refuses never reaches the handler; the connection answers 400
//      (413, 414, 431, 501, 505 …) and closes. on_refused is told, so that it can be recorded.
//   2. Every phase has an absolute deadline that no arriving byte moves.
//   3. When the client goes away, disconnected() fires at once, even if nothing is being written.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/tls.h"

namespace gatehouse::net {

struct ServerLimits {
  std::size_t header_bytes = 16u << 10;
  std::size_t header_count = 100;
  std::size_t body_bytes = 32u << 20;
  std::size_t connections = 10'000;  // per loop; beyond it new ones are closed at once
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds write_timeout{60'000};  // for one write, head or chunk
};

struct ListenAddress {
  std::string host = "127.0.0.1";  // an address, not a name
  std::uint16_t port = 0;          // 0: any free port, see Server::port()
  std::string unix_path;           // when set, a unix socket (mode 0600) instead of TCP
  bool reuse_port = false;         // SO_REUSEPORT: one listener a core
};

class ServerStream {
 public:
  virtual ~ServerStream() = default;
  virtual const RequestHead& request() const = 0;
  virtual const std::string& peer() const = 0;  // "203.0.113.7:51234" or "unix"
  // What the client showed and TLS verified; null: no certificate, or no TLS.
  virtual const PeerCertificate* certificate() const { return nullptr; }

  // The whole body. Errors: resource_exhausted (over the limit; answer 413), deadline_exceeded
  // (408), cancelled (the client left), invalid_argument (broken framing; 400).
  virtual Task<Result<std::string>> read_body(std::size_t max_bytes) = 0;

  // Head and body in one write, Content-Length framing. Takes the place of an answer that was begun
  // and of which nothing has left.
  virtual Task<Result<void>> respond(ResponseHead head, std::string body) = 0;

  // A streamed answer: chunked (HTTP/1.1) or until close (HTTP/1.0). begin() only remembers the
  // head; it leaves with the first write() in one packet.
  virtual void begin(ResponseHead head) = 0;
  virtual Task<Result<void>> write(std::string bytes) = 0;
  virtual Task<Result<void>> end() = 0;

  // Closes the connection without completing the answer: the client sees a truncated message.
  virtual void abort() = 0;

  virtual bool responded() const = 0;  // has any byte of an answer been handed to the socket?
  virtual CancelSource& disconnected() = 0;
};

using Handler = std::function<Task<void>(ServerStream&)>;

struct Refusal {
  int status = 400;
  std::string reason;  // what was wrong with the message, no content
  std::string peer;
};

class Server {
 public:
  Server(Loop& loop, ListenAddress address, ServerLimits limits, Handler handler,
         std::shared_ptr<TlsContext> tls = nullptr);
  ~Server();

  // Called for messages that were refused before the handler. Optional; loop thread.
  void on_refused(std::function<void(const Refusal&)> callback);

  Result<void> listen();  // binds and starts accepting; error names the address
  std::uint16_t port() const;
  std::size_t connections() const;
  std::size_t active_requests() const;

  // Drain: close the listener, let running requests finish with `Connection: close`, close idle
  // connections. active_requests() and connections() then go to 0.
  void drain();
  void close_all();  // after the drain deadline

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
