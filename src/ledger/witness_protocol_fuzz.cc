// Requests to a witness and its answers from anywhere: what is accepted has one spelling, and a
// request that nobody signed is never cosigned.
#include <cstdlib>
#include <string_view>

#include "ledger/witness_protocol.h"

namespace ledger = gatehouse::ledger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto key = ledger::parse_verifier_key(
      "example.com/vectors+dab49552+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c");
  if (const auto request = ledger::parse_add_checkpoint(bytes)) {
    if (to_string(*request) != bytes) std::abort();
    if (!ledger::origin_of(*request)) std::abort();
    const auto verdict = judge_add_checkpoint(*request, std::span(&*key, 1), {});
    if (verdict.status == 200 && verdict.log_signatures.empty()) std::abort();
    if (judge_add_checkpoint(*request, {}, {}).status != 404) std::abort();
  }
  if (const auto known = ledger::parse_known_size(bytes)) {
    if (ledger::known_size_body(*known) != bytes) std::abort();
  }
  if (const auto signatures = ledger::parse_note_signatures(bytes)) {
    std::string again;
    for (const auto& signature : *signatures) again += to_string(signature);
    if (again != bytes) std::abort();
  }
  return 0;
}
