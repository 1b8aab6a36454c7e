// The door of the room: all exporters of one gateway, and what they say of themselves.
//
//   exporter::Log log{ledger directory, data folder, origin, [&] { return ledger.stats().size; }};
//   exporter::Exporters exporters(configs, std::move(log), clock, random);
//   …
//   exporters.stop(grace);
//
// The functions may be called from any thread, stop() from one. The ledger may be closed before
// stop(), but must still be there.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "export/config.h"

namespace gatehouse::exporter {

// What is exported.
struct Log {
  std::filesystem::path directory;         // of the ledger
  std::filesystem::path data;              // positions are in data/export
  std::string origin;                      // of the ledger
  std::function<std::uint64_t()> durable;  // how many entries may be sent; any thread
};

struct Status {
  std::string name;
  std::string type;
  std::string to;                // url or path
  std::string state;             // "sending", "waiting", "retrying", "halted", "stopped"
  std::uint64_t position = 0;    // entries before it are confirmed by the receiver
  std::uint64_t backlog = 0;     // durable entries from there on
  std::uint64_t sent = 0;        // confirmed since the start of the process
  std::uint64_t errors = 0;      // attempts that failed, since then
  std::uint64_t skipped = 0;     // entries the receiver refused for good, since then
  std::uint64_t rejected = 0;    // records an OTLP receiver took and threw away, since then
  double oldest_unsent_age = 0;  // seconds; 0 without a backlog
  std::string last_error;        // empty when there was none
  std::string last_error_time;
};

class Exporter;

class Exporters {
 public:
  Exporters(std::vector<Config> configs, Log log, const Clock& clock, Random& random);
  ~Exporters();

  void stop(std::chrono::milliseconds grace);
  std::size_t size() const { return exporters_.size(); }
  Status status(std::size_t which) const;
  std::vector<Status> status() const;

 private:
  Log log_;
  std::vector<std::unique_ptr<Exporter>> exporters_;
};

// What the files say while no gateway runs.
std::vector<Status> remembered_status(const std::vector<Config>& configs, const Log& log);

// {"exporters":[…]}
std::string status_json(const std::vector<Status>& all);

}  // namespace gatehouse::exporter
