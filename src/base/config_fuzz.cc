// Any bytes as a configuration file: parsing and walking the whole tree must end, whatever it says.
#include <cstdint>
#include <cstdlib>

#include "base/config.h"

namespace {

std::size_t walk(const gatehouse::ConfigNode& node, int depth) {
  if (depth > 33) std::abort();
  std::size_t count = 1;
  (void)node.as_string();
  (void)node.as_int();
  (void)node.as_double();
  (void)node.as_bool();
  for (const auto& item : node.items()) count += walk(item, depth + 1);
  for (const auto& [key, value] : node.members()) count += walk(value, depth + 1);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto root = ConfigNode::parse(input, "fuzz.yaml");
  if (!root) {
    if (root.error().message.empty()) std::abort();
    return 0;
  }
  if (walk(*root, 0) > 100'001) std::abort();
  ConfigReader reader(*root);
  using std::chrono::milliseconds;
  (void)reader.required_string("a");
  (void)reader.duration("b", milliseconds(1), milliseconds(0), milliseconds(10));
  (void)reader.size("c", 1, 0, 10);
  (void)reader.list("d");
  (void)reader.finish();
  return 0;
}
