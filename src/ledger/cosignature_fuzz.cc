// Cosigned notes and witnesses' keys from anywhere: a key that is accepted has one spelling, and
// nothing but the one cosignature made with the key passes for it.
#include <cstdlib>
#include <string_view>

#include "ledger/cosignature.h"

namespace ledger = gatehouse::ledger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto key = ledger::parse_cosigner_key(
      "witness.example/one+5aa9b808+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU");
  if (const auto note = ledger::parse_note(bytes)) {
    const auto held = ledger::verify_cosignatures(*note, std::span(&*key, 1));
    if (held && held->size() > 1) std::abort();
  }
  if (const auto parsed = ledger::parse_cosigner_key(bytes)) {
    if (to_string(*parsed) != bytes) std::abort();
  }
  if (const auto parsed = ledger::parse_any_verifier_key(bytes)) {
    if (to_string(*parsed) != bytes) std::abort();
  }
  return 0;
}
