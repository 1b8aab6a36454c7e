// A guard model that runs in this process (type onnx): loaded once, read by threads of its own,
// asked by the desks of all loop threads. Thread-safe. Whoever holds the last reference waits, when
// letting go of it, for the texts that are being read; they have been told to stop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "guard/guard.h"
#include "net/blocking_pool.h"
#include "onnx/classifier.h"

namespace gatehouse::guard {

class LocalModel {
 public:
  // Reads a text on the calling thread, until stopped.
  using Read =
      std::function<Result<onnx::Reading>(std::string_view text, const std::stop_token& stop)>;

  // `identity` tells what it says apart from what another model, or other files, would say.
  // `config.concurrency` threads read, `config.waiting` texts wait.
  LocalModel(Read read, std::string identity, const Config& config);
  static Result<std::shared_ptr<LocalModel>> load(const Config& config);

  const std::string& identity() const { return identity_; }
  const onnx::Classifier* classifier() const { return classifier_.get(); }  // null in tests

  // Calls `done` on a thread of the model's with what came of it. False: too many wait, and `done`
  // is not called.
  bool read(std::string text, std::stop_token stop,
            std::move_only_function<void(Result<onnx::Reading>)> done);

 private:
  const std::shared_ptr<const Read> read_;  // texts under way hold it too, never this object
  const std::string identity_;
  std::shared_ptr<const onnx::Classifier> classifier_;
  net::BlockingPool threads_;
};

// Those of type onnx, by name. One of `before` whose settings and files are the same is taken over.
Result<LocalModels> load_local_models(const std::vector<Config>& configs,
                                      const LocalModels& before);

}  // namespace gatehouse::guard
