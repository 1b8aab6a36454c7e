// The source of a policy set is read from a file anybody may have written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/snapshot_sources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto files = gatehouse::gateway::parse_sources(text);
  if (!files) return 0;
  std::size_t bytes = 0;
  for (const auto& [name, content] : *files) bytes += name.size() + content.size() + 3;
  if (bytes > size) __builtin_trap();
  return 0;
}
