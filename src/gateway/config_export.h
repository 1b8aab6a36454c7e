// The part of gatehouse.yaml under `export:`. See config.h.
#pragma once

#include "base/config.h"
#include "gateway/config.h"

namespace gatehouse::gateway {

void read_exporters(ConfigReader& root, Config& config);

}  // namespace gatehouse::gateway
