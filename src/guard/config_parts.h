// Parts of read_config() that stand in files of their own.
#pragma once

#include <filesystem>

#include "guard/guard.h"

namespace gatehouse::guard {

void read_onnx_type(ConfigReader& reader, const ConfigNode& node,
                    const std::filesystem::path& folder, Config& config);

}  // namespace gatehouse::guard
