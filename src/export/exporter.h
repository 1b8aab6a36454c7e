// One exporter: reads the ledger in order, sends, and remembers how far its receiver has confirmed.
// It has a thread of its own, with a loop of its own, at a lower priority than calls have.
//
// Invariants
//   1. Only durable entries are sent, in the log's order, none left out. An entry is passed over
//      only when the receiver refuses it by itself after several tries; that is counted and logged
//      with index and id.
//   2. The remembered position never runs ahead of what the receiver has confirmed, so after any
//      end of the process everything later is sent (again). A receiver can drop repeats by the
//      entry's id.
//   3. A receiver that refuses everything is waited for, not skipped past: after
//      `most_skips_in_a_row` refusals with nothing accepted between, nothing is passed over.
//   4. One batch is in memory at a time, of at most config.batch entries and `batch_bytes`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "export/config.h"
#include "export/exporters.h"
#include "export/format.h"
#include "export/position.h"
#include "export/transport.h"
#include "ledger/ledger.h"
#include "net/loop.h"

namespace gatehouse::exporter {

class Exporter {
 public:
  // Reads the position, or makes the first one. `log` and what it refers to outlive the exporter.
  Exporter(Config config, const Log& log, const Clock& clock, Random& random);
  ~Exporter();  // stop() without grace

  void start();
  void ask_to_stop();  // returns at once
  // Sends what is there as long as the receiver takes it, at most `grace`; then ends.
  void stop(std::chrono::milliseconds grace);
  Status status() const;  // any thread

 private:
  using Milliseconds = std::chrono::milliseconds;

  net::Task<void> run();
  Result<void> prepare();
  Result<void> open_position();
  Result<void> open_reader();
  net::Task<bool> wait_for_entries();
  Result<void> read_batch();
  Result<void> fill_batch();
  Result<bool> read_item(Record& record);
  net::Task<bool> deliver_batch();
  net::Task<Delivery> send(std::size_t begin, std::size_t end);
  net::Task<bool> confirm();
  void accepted(std::size_t begin, std::size_t end, const Delivery& delivery);
  bool may_skip(const Item& item, const Delivery& delivery);
  net::Task<bool> back_off(std::string error, std::optional<Milliseconds> wait);
  void rewind();
  void remember(const Item& last);
  void say_working();
  void halted(const Error& error);
  bool confirm_is_due() const;

  const Config config_;
  const Log& log_;
  const Clock& clock_;
  Random& random_;
  const Source source_;
  const std::filesystem::path file_;

  // The exporter's thread only.
  net::Loop loop_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Format> format_;
  std::optional<ledger::EntryReader> reader_;
  Position position_;         // as remembered
  std::uint64_t cursor_ = 0;  // next entry to be read
  std::vector<Item> batch_;
  std::optional<Item> unconfirmed_;  // the last that was sent and not confirmed
  SteadyTime unconfirmed_since_{};
  std::uint64_t unconfirmed_count_ = 0;
  unsigned failures_ = 0;  // in a row
  unsigned refusals_ = 0;  // of the same single entry
  unsigned skips_in_a_row_ = 0;
  SteadyTime failure_logged_{};

  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::optional<WallTime> oldest_;  // of what is being sent and not confirmed
  Status status_;
};

}  // namespace gatehouse::exporter
