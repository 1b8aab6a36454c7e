// See admin_call.h.
#include "cli/admin_call.h"

#include <pwd.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "api/admin.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/config.h"

namespace gatehouse::cli {
std::string operating_system_actor() {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found)
    return "cli:" + std::string(found->pw_name);
  return "cli:" + std::to_string(getuid());
}

Result<long long> parse_lifetime(std::string_view text) {
  const std::string_view units = "smhd";
  constexpr long long seconds[] = {1, 60, 3'600, 86'400};
  const auto unit = text.empty() ? std::string_view::npos : units.find(text.back());
  const auto number =
      unit == std::string_view::npos ? std::nullopt : parse_uint(text.substr(0, text.size() - 1));
  if (!number || *number == 0 || *number > 100'000)
    return fail(ErrorCode::invalid_argument, "expected a time like 30d, 12h, 90m or 45s");
  return static_cast<long long>(*number) * seconds[unit];
}

nlohmann::json admin_call(const std::string& config_file, std::string_view method,
                          std::string_view path, const nlohmann::json& body) {
  set_log_level(LogLevel::warning);
  const nlohmann::json none(nlohmann::json::value_t::discarded);
  auto config = gateway::load_config(config_file);
  if (!config) {
    std::cerr << config.error().describe() << '\n';
    return none;
  }
  auto reply = api::administer(*config, method, path, body.is_null() ? std::string() : body.dump(),
                               operating_system_actor());
  if (!reply) {
    std::cerr << "gatehouse: " << reply.error().describe() << '\n';
    return none;
  }
  return nlohmann::json::parse(*reply, nullptr, false);
}

}  // namespace gatehouse::cli
