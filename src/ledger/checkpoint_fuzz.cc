// Notes, checkpoints and verifier keys from anywhere: whatever is accepted has one spelling.
#include <cstdlib>
#include <string_view>

#include "ledger/checkpoint.h"
#include "ledger/note.h"

namespace ledger = gatehouse::ledger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const auto key = ledger::parse_verifier_key(
      "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  if (const auto note = ledger::parse_note(bytes)) {
    if (to_string(*note) != bytes) std::abort();
    (void)ledger::verify_note(*note, std::span(&*key, 1));
    (void)ledger::open_checkpoint(bytes, *key);
  }
  if (const auto checkpoint = ledger::parse_checkpoint(bytes)) {
    if (to_string(*checkpoint) != bytes) std::abort();
  }
  if (const auto parsed = ledger::parse_verifier_key(bytes)) {
    if (to_string(*parsed) != bytes) std::abort();
  }
  return 0;
}
