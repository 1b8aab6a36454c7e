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

// Where GATEHOUSE_SERVER and GATEHOUSE_KEY are in the environment, makes the call there, by the
// gateway's listener. Else loads the configuration and makes it here, as the operating system's
// user. Prints an error to standard error; the answer is then discarded JSON.
nlohmann::json admin_call(const std::string& config_file, std::string_view method,
                          std::string_view path, const nlohmann::json& body);

}  // namespace gatehouse::cli
