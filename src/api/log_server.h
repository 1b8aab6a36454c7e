// A log directory over HTTP, read-only, as C2SP tlog-tiles says, on a listener and a thread of its
// own: reading files blocks only those who read the log. Works beside the writer, and on a copy.
//
//   GET <prefix>/checkpoint                      text/plain, must be revalidated
//   GET <prefix>/tile/<level>/<N>[.p/<width>]    never changes
//   GET <prefix>/tile/entries/<N>[.p/<width>]    never changes; only when entries are served
//
// Promises
//   1. A path that is not exactly one of these is 404. No path of a client reaches the file system.
//   2. Whoever holds a checkpoint can fetch every tile of it, also after it was replaced.
//   3. Bounded: connections, and the bytes of all answers on their way (beyond it 503).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "ledger/disk.h"
#include "ledger/log_files.h"
#include "ledger/published.h"
#include "net/loop.h"
#include "net/server.h"

namespace gatehouse::api {

struct LogServerOptions {
  std::filesystem::path directory;
  net::ListenAddress listen;
  std::string prefix;  // "" or "/log"
  bool entries = false;
  std::size_t connections = 256;
  std::size_t answer_bytes = 64u << 20;  // of all answers on their way
  std::shared_ptr<net::TlsContext> tls;  // null: plain
};

class LogServer {
 public:
  // not_found when there is no log in the directory.
  static Result<std::unique_ptr<LogServer>> start(LogServerOptions options);
  ~LogServer();  // connections are cut

  std::uint16_t port() const { return server_->port(); }

 private:
  struct Answer {
    net::ResponseHead head;
    std::string body;
  };

  explicit LogServer(LogServerOptions options);
  net::Task<void> answer(net::ServerStream& client);
  Answer answer_to(const net::RequestHead& request);
  std::optional<ledger::PublishedName> name_in(std::string_view target) const;

  const LogServerOptions options_;
  const ledger::LogPaths paths_;
  ledger::RealDisk disk_;
  ledger::VerifierKey key_;
  std::size_t bytes_on_their_way_ = 0;
  net::Loop loop_;
  std::unique_ptr<net::Server> server_;
  std::thread thread_;
};

}  // namespace gatehouse::api
