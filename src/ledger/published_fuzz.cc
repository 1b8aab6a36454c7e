// Names of resources as strangers spell them. Whatever is understood is spelt in that one way and
// stays inside the log's own tile folder.
#include <cstdlib>
#include <string_view>

#include "ledger/published.h"

namespace ledger = gatehouse::ledger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = ledger::parse_published_name(text);
  if (!name) return 0;
  if (name->kind == ledger::PublishedKind::checkpoint) {
    if (text != "checkpoint") std::abort();
    return 0;
  }
  const std::string path = ledger::to_path(name->tile);
  if (path != text || !path.starts_with("tile/") || path.contains("..")) std::abort();
  if (name->tile.level.has_value() != (name->kind == ledger::PublishedKind::tile)) std::abort();
  return 0;
}
