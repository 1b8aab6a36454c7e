// See config_guard.h. What one guard may say is read by its room (guard/config.cc).
#include "gateway/config_guard.h"

#include <algorithm>

namespace gatehouse::gateway {

const guard::Config* Config::find_guard(std::string_view name) const {
  const auto found = std::ranges::find(guards, name, &guard::Config::name);
  return found == guards.end() ? nullptr : &*found;
}

void read_guards(ConfigReader& root, Config& config) {
  constexpr std::size_t most_guards = 64;
  for (const auto& node : root.list("guards")) {
    auto guard = guard::read_config(node, config.file.parent_path());
    if (!guard) {
      root.note(guard.error());
    } else if (config.find_guard(guard->name) != nullptr) {
      root.note(node.error("guard \"" + guard->name + "\" is defined twice"));
    } else if (config.guards.size() == most_guards) {
      root.note(node.error("there can be at most 64 guards"));
    } else {
      config.guards.push_back(std::move(*guard));
    }
  }
}

}  // namespace gatehouse::gateway
