// What the administrative verbs (key, model) share: the call and its answer.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::cli {

// "30d", "12h", "90m", "45s" in seconds.
Result<long long> parse_lifetime(std::string_view text);

// Who runs this, for events: "cli:NAME".
std::string operating_system_actor();

// Loads the configuration, makes the call as the operating system's user, prints an error to
// standard error. Returns nullopt-like discarded JSON on error.
nlohmann::json admin_call(const std::string& config_file, std::string_view method,
                          std::string_view path, const nlohmann::json& body);

}  // namespace gatehouse::cli
