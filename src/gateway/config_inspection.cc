// See config_inspection.h.
#include "gateway/config_inspection.h"

namespace gatehouse::gateway {
namespace {

std::optional<std::filesystem::path> read_path(ConfigReader& reader, std::string_view key,
                                               const std::filesystem::path& file) {
  const std::filesystem::path given(reader.string(key, ""));
  if (given.empty()) return std::nullopt;
  return given.is_absolute() ? given : file.parent_path() / given;
}

void read_locales(ConfigReader& reader, const ConfigNode& node, inspect::RuleSetOptions& rules) {
  for (const std::string& locale : reader.strings("locales")) {
    if (locale == "all") {
      rules.all_locales = true;
    } else if (const auto country = inspect::read_locale(locale)) {
      rules.locales.push_back(*country);
    } else {
      reader.note(
          node.error("locales: \"" + locale + "\" is neither \"all\" nor two letters of ISO 3166"));
    }
  }
}

}  // namespace

InspectionConfig read_inspection(ConfigReader& root, const std::filesystem::path& file) {
  InspectionConfig config;
  const auto node = root.child("inspection");
  if (!node) return config;
  ConfigReader reader(*node);
  read_locales(reader, *node, config.rules);
  for (const std::string& path : reader.strings("dictionaries"))
    config.dictionaries.push_back(file.parent_path() / path);  // an absolute path stays
  config.classifier = read_path(reader, "classifier", file);
  config.calibration = read_path(reader, "calibration", file);
  if (config.classifier && !config.calibration)
    reader.note(
        node->error("a classifier of one's own needs its own calibration: "
                    "gatehouse inspect calibrate"));
  if (auto finished = reader.finish(); !finished) root.note(finished.error());
  return config;
}

}  // namespace gatehouse::gateway
