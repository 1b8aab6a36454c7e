// Where the loop threads leave administrative calls that policy permitted, and who carries them
// out: the room above (api/), on threads of its own, since administration waits for disks and for
// other machines. Thread-safe.
//
// Invariant: after close() no call is being carried out and none will be.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/blocking_pool.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::gateway {

struct AdministrationReply {
  int status = 200;
  std::string body;
};

// {"error":{"code","message"}} with the status that fits.
AdministrationReply reply_of(const Error& error);

class AdministrationDesk {
 public:
  // `roles`: those the policies were asked about.
  using Handler = std::function<AdministrationReply(std::string_view method, std::string_view path,
                                                    std::string_view body, std::string_view actor,
                                                    const std::vector<std::string>& roles)>;
  AdministrationDesk();

  void open(Handler handler);
  void close();  // waits for what is being carried out

  // Nothing: too many calls wait. `actor`: "user:ada".
  net::Task<std::optional<AdministrationReply>> carry_out(net::Loop& loop, std::string_view method,
                                                          std::string_view path, std::string body,
                                                          std::string actor,
                                                          std::vector<std::string> roles = {});
  // Ends the threads; before the loops end.
  void stop() { pool_.reset(); }

 private:
  AdministrationReply handle(std::string_view method, std::string_view path, std::string_view body,
                             std::string_view actor, const std::vector<std::string>& roles);

  std::shared_mutex mutex_;  // held shared while a call is carried out
  Handler handler_;
  std::unique_ptr<net::BlockingPool> pool_;
};

}  // namespace gatehouse::gateway
