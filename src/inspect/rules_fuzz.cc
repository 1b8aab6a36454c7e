// Rule files from anywhere: parsed, compiled, run over their own examples. Nothing may crash, and
// what is refused has a message.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "inspect/inspect.h"
#include "inspect/pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::inspect;
  if (size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto pattern = parse_pattern(text)) {
    // Printing is stable: what is printed parses to what prints the same.
    const std::string printed = to_regex(*pattern, true);
    if (const auto again = parse_pattern(printed); again && to_regex(*again, true) != printed)
      std::abort();
    if (min_width(*pattern) > 0) rare_factor(*pattern);
  }
  const std::vector<std::pair<std::string, std::string>> files = {{"fuzz.yaml", text}};
  const auto set = RuleSet::parse(files, true);
  if (!set && set.error().message.empty()) std::abort();
  return 0;
}
