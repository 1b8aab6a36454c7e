// Decisions already made. A decision is a pure function of the policy set and the request, so the
// same request under the same set has the same answer; the whole request is the key, nothing is
// hashed away. Bounded: when it is full it starts over. One worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "policy/policy.h"

namespace gatehouse::gateway {

class DecisionCache {
 public:
  static constexpr std::size_t max_entries = 4'096;
  static constexpr std::size_t max_key_bytes = 4'096;  // larger requests are decided afresh

  explicit DecisionCache(std::shared_ptr<const policy::PolicySet> policies)
      : policies_(std::move(policies)) {}

  policy::Decision decide(const policy::Request& request);
  std::size_t size() const { return known_.size(); }

 private:
  std::shared_ptr<const policy::PolicySet> policies_;
  std::unordered_map<std::string, policy::Decision> known_;
  std::string key_;  // reused
};

// An injective encoding of a request: different requests have different keys.
void append_key(std::string& out, const policy::Request& request);

}  // namespace gatehouse::gateway
