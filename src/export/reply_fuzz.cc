// Any bytes as what a receiver answers and as a position's file.
#include <cstdint>
#include <cstdlib>

#include "export/position.h"
#include "export/reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::exporter;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto wait = parse_retry_after(input, gatehouse::WallTime{}))
    if (*wait < std::chrono::milliseconds(0) || *wait > std::chrono::hours(1)) std::abort();
  if (parse_partial_success(input).message.size() > 1'000) std::abort();
  if (quote_answer(input).size() > 1'000) std::abort();
  if (const auto position = parse_position(input)) {
    if (position->replay > position->next) std::abort();
    if (format_position(*position) !=
        format_position(parse_position(format_position(*position)).value()))
      std::abort();
  }
  return 0;
}
