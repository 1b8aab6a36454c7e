// Links come from anybody: whatever it is, it is refused or it is exactly what was made.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "approval/link.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = approval::link_key(crypto::sha256({}));
  const WallTime now{};
  // Whoever fuzzes has no key: a text that is taken for a link is a forgery.
  if (approval::read_link(key, text, now)) __builtin_trap();
  // Behind a good signature anything may stand.
  std::string signed_text(text.substr(0, 3'000));
  signed_text += '.' + to_base64url(crypto::hmac_sha256(key, bytes_of(text.substr(0, 3'000))));
  (void)approval::read_link(key, signed_text, now);
  return 0;
}
