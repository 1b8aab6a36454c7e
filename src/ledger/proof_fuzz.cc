// Receipts from anywhere: whatever is accepted has one spelling, and none verifies unless its
// checkpoint is signed.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "ledger/proof.h"

namespace ledger = gatehouse::ledger;

namespace {

// Proof checks with numbers and hashes straight from the input.
void check_numbers(std::string_view bytes) {
  if (bytes.size() < 16 + sizeof(ledger::Digest)) return;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::memcpy(&first, bytes.data(), 8);
  std::memcpy(&second, bytes.data() + 8, 8);
  bytes.remove_prefix(16);
  std::vector<ledger::Digest> hashes(bytes.size() / sizeof(ledger::Digest));
  std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(ledger::Digest));
  const auto root = hashes.front();
  (void)ledger::check_inclusion(first, second, root, hashes, root);
  (void)ledger::check_consistency(first, second, root, hashes.back(), hashes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto key = ledger::parse_verifier_key(
      "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  if (const auto receipt = ledger::parse_receipt(bytes)) {
    if (to_string(*receipt) != bytes) std::abort();
    if (ledger::check_receipt(*receipt, *key, "entry")) std::abort();
  }
  check_numbers(bytes);
  return 0;
}
