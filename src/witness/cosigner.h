// Keeps the log witnessed while a gateway runs: looks for a new checkpoint, takes it to the
// witnesses, stores what they cosign, and raises an incident when one of them contradicts the log.
// A loop and a thread of its own; nothing of the traffic waits for it. It reads the log's files and
// writes only checkpoint.witnessed.
//
// A witness that does not answer, or says no, is asked again after a pause that doubles from one
// second to five minutes. An incident is raised once for each kind and witness, and again only
// after the witness has cosigned in between.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/disk.h"
#include "witness/round.h"

namespace gatehouse::witness {

struct Incident {
  std::string kind;  // see incident_kind()
  std::string witness;
  std::string url;
  std::uint64_t our_size = 0;
  ledger::Digest our_root{};
  Submission submission;
  std::string action;  // what to do, for people
};

struct CosignerSettings {
  Witnesses witnesses;
  std::chrono::milliseconds interval{1'000};   // how often a new checkpoint is looked for
  std::chrono::milliseconds refresh{600'000};  // the same checkpoint is cosigned again after this
};

// Called on the cosigner's thread; short.
struct CosignerHooks {
  std::function<std::uint64_t()> published;  // entries under the last durable checkpoint
  std::function<void(const Incident&)> incident;
};

struct CosignerStats {
  std::uint64_t witnessed = 0;     // entries under the last checkpoint with a quorum
  std::uint64_t cosignatures = 0;  // received, all witnesses together
  std::uint64_t failures = 0;      // conversations that brought none
  std::uint64_t incidents = 0;
  std::uint64_t failing = 0;  // witnesses that did not cosign when they were last asked
  bool quorum = false;        // the last round had one
};

class Cosigner {
 public:
  static Result<std::unique_ptr<Cosigner>> start(CosignerSettings settings, CosignerHooks hooks,
                                                 const Clock& clock);
  ~Cosigner();  // stops; conversations that are open are broken off

  CosignerStats stats() const;  // any thread

  struct Impl;

 private:
  explicit Cosigner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::witness
