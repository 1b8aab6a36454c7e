// See config_export.h. What one exporter may say is read by its room (export/config.cc).
#include "gateway/config_export.h"

#include <algorithm>

namespace gatehouse::gateway {

namespace {

bool is_taken(const Config& config, std::string_view name) {
  return std::ranges::any_of(config.exporters, [&](const auto& one) { return one.name == name; });
}

}  // namespace

void read_exporters(ConfigReader& root, Config& config) {
  constexpr std::size_t most_exporters = 16;  // each has a thread
  for (const auto& node : root.list("export")) {
    auto exporter = exporter::read_config(node, config.file.parent_path());
    if (!exporter) {
      root.note(exporter.error());
    } else if (is_taken(config, exporter->name)) {
      root.note(node.error("exporter \"" + exporter->name + "\" is defined twice"));
    } else if (config.exporters.size() == most_exporters) {
      root.note(node.error("there can be at most 16 exporters"));
    } else {
      config.exporters.push_back(std::move(*exporter));
    }
  }
}

}  // namespace gatehouse::gateway
