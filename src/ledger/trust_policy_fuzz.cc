// Policies from anywhere: what is accepted can be evaluated, and all witnesses together are a
// quorum of it.
#include <cstdlib>
#include <string_view>

#include "ledger/trust_policy.h"

namespace ledger = gatehouse::ledger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto policy = ledger::parse_trust_policy(bytes);
  if (!policy) return 0;
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < policy->witnesses.size(); ++i) all.push_back(i);
  if (!is_quorum(*policy, all)) std::abort();
  if (is_quorum(*policy, {}) != !policy->quorum) std::abort();
  if (!is_quorum(*policy, quorum_witnesses(*policy))) std::abort();
  (void)ledger::describe_quorum(*policy, {});
  return 0;
}
