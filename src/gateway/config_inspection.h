// The part of gatehouse.yaml under `inspection:`. See config.h.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/config.h"
#include "inspect/inspect.h"

namespace gatehouse::gateway {

struct InspectionConfig {
  inspect::RuleSetOptions rules;                    // which of the detector rules are wanted
  std::vector<std::filesystem::path> dictionaries;  // sealed with the deployment's secret
  // Of attacks on models; none: what is compiled in.
  std::optional<std::filesystem::path> classifier;
  std::optional<std::filesystem::path> calibration;
};

// Relative paths are taken from the folder of `file`.
InspectionConfig read_inspection(ConfigReader& root, const std::filesystem::path& file);

}  // namespace gatehouse::gateway
