// The holds and the order of a vault from any bytes. Their digest would keep a fuzzer out, so it is
// also put right for it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "crypto/crypto.h"
#include "vault/order.h"

using namespace gatehouse::vault;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole =
      bytes + "sha256 " + gatehouse::to_hex(gatehouse::crypto::sha256(gatehouse::bytes_of(bytes))) +
      "\n";
  for (const auto& text : {bytes, whole}) {
    if (const auto holds = parse_holds(text)) {
      const auto again = parse_holds(encode(*holds));
      GH_CHECK(again && again->size() == holds->size());
    }
    if (const auto order = parse_order(text)) {
      const auto again = parse_order(encode(*order));
      GH_CHECK(again && again->records == order->records && again->segment == order->segment);
    }
  }
  return 0;
}
