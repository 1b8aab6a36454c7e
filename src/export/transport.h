// The way to one receiver. A transport lives on its exporter's loop and is spoken to by nobody
// else; one call at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "export/config.h"
#include "export/ocsf.h"
#include "export/reply.h"
#include "net/loop.h"
#include "net/task.h"

namespace gatehouse::exporter {

// One entry as it goes to this receiver.
struct Item {
  std::uint64_t index = 0;
  std::uint64_t replay_from = 0;  // once this one is delivered
  std::string id;
  std::string node;
  WallTime time{};
  crypto::Digest digest{};
  std::string payload;  // empty: nothing goes to this receiver
};

class Transport {
 public:
  virtual ~Transport() = default;
  // In order; none with an empty payload. `sent` means that confirm() will tell.
  virtual net::Task<Delivery> send(std::span<const Item> items) = 0;
  // What became of all that was `sent` since the last confirm(). After anything but accepted all of
  // it must be sent again.
  virtual net::Task<Delivery> confirm() = 0;
};

// Error: what cannot be right later either (a CA file that is not there).
Result<std::unique_ptr<Transport>> make_transport(net::Loop& loop, const Config& config,
                                                  const Source& source, const Clock& clock);

Result<std::unique_ptr<Transport>> make_http_transport(net::Loop& loop, const Config& config,
                                                       const Source& source, const Clock& clock);
Result<std::unique_ptr<Transport>> make_syslog_transport(net::Loop& loop, const Config& config);
std::unique_ptr<Transport> make_file_transport(const Config& config);

}  // namespace gatehouse::exporter
