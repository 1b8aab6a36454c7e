// Any bytes as the inside of a JSON string: what is accepted must survive escape and decode.
#include <cstdint>
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = decode_json_string(input)) {
    if (!is_utf8(*decoded)) std::abort();
    std::string again;
    append_json_escaped(again, *decoded);
    if (decode_json_string(again) != *decoded) std::abort();
  }
  std::string escaped;
  append_json_escaped(escaped, input);
  if (decode_json_string(escaped) != to_utf8(input)) std::abort();
  return 0;
}
