// The witness as an HTTP server (C2SP tlog-witness v1.0.0), on a loop and a thread of its own:
//
//   POST <prefix>/add-checkpoint              200, 400, 403, 404, 409, 422
//   GET  <prefix>/<origin hash>/checkpoint    200, 404
//
// sign-subtree is not served: it needs ML-DSA-44 cosignatures. The disk is waited for on the pool
// of blocking work, one request at a time. start() and stop() from one thread.
#pragma once

#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/disk.h"
#include "net/loop.h"
#include "net/server.h"
#include "witness/config.h"
#include "witness/state.h"

namespace gatehouse::witness {

class WitnessServer {
 public:
  static Result<std::unique_ptr<WitnessServer>> start(const WitnessConfig& config,
                                                      const Clock& clock);
  ~WitnessServer();  // stop()

  std::uint16_t port() const;
  std::string verifier_key() const;
  std::size_t known_logs() const { return state_->known_logs(); }

  // Lets requests that are being answered end, for a short time.
  void stop();

 private:
  WitnessServer() = default;
  net::Task<void> handle(net::ServerStream& client);
  net::Task<void> add_checkpoint(net::ServerStream& client);
  net::Task<void> give_checkpoint(net::ServerStream& client, std::string origin_hash);

  ledger::RealDisk disk_;
  std::string prefix_;
  std::string verifier_key_;
  std::unique_ptr<WitnessState> state_;
  net::Loop loop_;
  std::unique_ptr<net::Server> server_;
  std::thread thread_;
};

}  // namespace gatehouse::witness
