// What the simulator received, so that a test can see what reached the upstream. Thread-safe;
// shared by all loops. Keeps the last 1,000 requests and at most 64 MiB of bodies; older ones go
// first.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "net/http.h"

namespace gatehouse::simulate {

struct Counts {
  std::atomic<std::uint64_t> received{0};   // requests for the provider API, bad ones too
  std::atomic<std::uint64_t> answered{0};   // answers whose last byte was handed to the socket
  std::atomic<std::uint64_t> cancelled{0};  // the caller went away before that
  std::atomic<std::int64_t> active{0};
};

class Recorder {
 public:
  void note(const net::RequestHead& head, const std::string& body);
  std::string requests_json() const;  // {"requests":[{method,target,headers,body,body_bytes}]}
  std::string last_body() const;      // of the latest request, as received
  std::string counts_json() const;
  void clear();  // requests, counts (not active) and script failures

  // Counts up to `times` for a script; true while it shall still fail.
  bool shall_fail(const std::string& digest, std::size_t times);

  Counts counts;

 private:
  struct Request {
    std::string method;
    std::string target;
    std::vector<net::Field> fields;
    std::string body;  // cut after 1 MiB
    std::size_t body_bytes = 0;
  };
  mutable std::mutex mutex_;
  std::deque<Request> requests_;
  std::size_t kept_bytes_ = 0;
  std::map<std::string, std::size_t> failures_;
};

}  // namespace gatehouse::simulate
