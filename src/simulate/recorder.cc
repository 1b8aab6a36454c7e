#include "simulate/recorder.h"

#include "base/json.h"
#include "base/text.h"

namespace gatehouse::simulate {
namespace {

constexpr std::size_t kMaxRequests = 1'000;
constexpr std::size_t kMaxBytes = 64u << 20;
constexpr std::size_t kMaxBody = 1u << 20;
constexpr std::size_t kMaxFailures = 1'000;

}  // namespace

void Recorder::note(const net::RequestHead& head, const std::string& body) {
  Request request{.method = head.method,
                  .target = head.target,
                  .fields = head.fields.all(),
                  .body = body.substr(0, kMaxBody),
                  .body_bytes = body.size()};
  const std::scoped_lock lock(mutex_);
  kept_bytes_ += request.body.size();
  requests_.push_back(std::move(request));
  while (requests_.size() > kMaxRequests || kept_bytes_ > kMaxBytes) {
    kept_bytes_ -= requests_.front().body.size();
    requests_.pop_front();
  }
}

std::string Recorder::requests_json() const {
  std::string out;
  JsonWriter json(out);
  const std::scoped_lock lock(mutex_);
  json.begin_object().key("requests").begin_array();
  for (const Request& request : requests_) {
    json.begin_object().key("method").string(request.method).key("target").string(request.target);
    json.key("headers").begin_object();
    for (const net::Field& field : request.fields)
      json.key(to_lower(field.name)).string(field.value);
    json.end_object().key("body").string(request.body);
    json.key("body_bytes").number(request.body_bytes).end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string Recorder::last_body() const {
  const std::scoped_lock lock(mutex_);
  return requests_.empty() ? "" : requests_.back().body;
}

std::string Recorder::counts_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("received").number(counts.received.load());
  json.key("answered").number(counts.answered.load());
  json.key("cancelled").number(counts.cancelled.load());
  json.key("active").number(counts.active.load()).end_object();
  return out;
}

void Recorder::clear() {
  const std::scoped_lock lock(mutex_);
  requests_.clear();
  kept_bytes_ = 0;
  failures_.clear();
  counts.received = 0;
  counts.answered = 0;
  counts.cancelled = 0;
}

bool Recorder::shall_fail(const std::string& digest, std::size_t times) {
  const std::scoped_lock lock(mutex_);
  if (failures_.size() >= kMaxFailures && !failures_.contains(digest)) failures_.clear();
  return failures_[digest]++ < times;
}

}  // namespace gatehouse::simulate
