// Servers that speak over standard input and output: started here, from the configuration and
// nothing else, in a sandbox (sandbox.h), one process each, shared by all callers.
//
// One thread for each server reads what it says; sinks are called on that thread. Requests get ids
// and progress tokens of our own, so that callers cannot meet each other's. What a server asks of
// its client is refused: nobody in particular is there to ask.
//
// Spoken is the legacy era (2025-11-25). Source: modelcontextprotocol.io/specification, 2025-11-25,
// basic/transports#stdio.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::mcp {

struct StdioOptions {
  std::vector<std::string> command;  // an absolute path and its arguments; no shell, no PATH
  std::vector<std::pair<std::string, Secret>> environment;  // all it gets, besides a few constants
  bool network = false;
  std::vector<std::filesystem::path> readable;  // that the sandbox would hide
  std::vector<std::filesystem::path> writable;
  std::vector<std::filesystem::path> hidden;  // folders it must not see
  std::uint64_t memory_bytes = 2ull << 30;
  std::size_t processes = 64;
  bool sandbox = true;
  std::size_t line_bytes = 4u << 20;  // longest message
  std::size_t pending = 256;          // requests waiting at once
};

class StdioServer {
 public:
  // One message for a request: its answer (`last`), or a notification about its progress on the
  // way. An error ends it too.
  struct Piece {
    Result<std::string> message;
    bool last = false;
  };
  using Sink = std::function<void(Piece)>;

  StdioServer(std::string name, StdioOptions options);
  ~StdioServer();  // ends the process
  StdioServer(const StdioServer&) = delete;
  StdioServer& operator=(const StdioServer&) = delete;

  // Starts the process where it does not run, and makes it known. Blocks until the server has
  // answered `initialize`, ten seconds at most. Returns the result of that (JSON).
  Result<std::string> ensure_started();

  // `params` JSON or empty. `id` is what the answer shall have. Errors: unavailable (not running),
  // resource_exhausted (too many wait). The ticket is for cancel().
  Result<std::uint64_t> request(std::string_view id, std::string_view method,
                                std::string_view params, Sink sink);
  // The caller has gone: the server is told, the sink is not called again once this returns.
  void cancel(std::uint64_t ticket);
  Result<void> notify(std::string_view method, std::string_view params);

 private:
  struct Waiting {
    std::string id;              // of the caller
    std::string progress_token;  // of the caller, as it stands; empty: none
    Sink sink;
  };
  Result<void> start_process();
  Result<void> send(const std::string& line);
  void read_lines();
  void take_line(std::string_view line);
  void fail_all(const Error& error);
  void end_process();

  const std::string name_;
  const StdioOptions options_;
  std::mutex start_mutex_;  // one start at a time
  std::mutex mutex_;        // guards what follows
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_ = 1;
  bool running_ = false;
  std::string initialized_;  // the result of initialize
  Descriptor to_child_;      // both ways
  std::mutex write_mutex_;   // one line at a time; taken before mutex_
  int child_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread reader_;
};

}  // namespace gatehouse::mcp
