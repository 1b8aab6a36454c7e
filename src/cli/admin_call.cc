// See admin_call.h.
#include "cli/admin_call.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

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

namespace {

// Another machine's gateway, where the environment names one. The key comes by the environment
// only: the command line of a process is for everybody to read.
std::optional<api::RemoteGateway> remote_gateway() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    return std::string(value == nullptr ? "" : value);
  };
  api::RemoteGateway gateway{variable("GATEHOUSE_SERVER"), Secret(variable("GATEHOUSE_KEY")),
                             variable("GATEHOUSE_CA")};
  if (gateway.server.empty() && gateway.key.empty()) return std::nullopt;
  return gateway;
}

nlohmann::json parsed_or_said(const Result<std::string>& reply) {
  if (reply) return nlohmann::json::parse(*reply, nullptr, false);
  std::cerr << "gatehouse: " << reply.error().describe() << '\n';
  return nlohmann::json(nlohmann::json::value_t::discarded);
}

}  // namespace

nlohmann::json admin_call(const std::string& config_file, std::string_view method,
                          std::string_view path, const nlohmann::json& body) {
  set_log_level(LogLevel::warning);
  const nlohmann::json none(nlohmann::json::value_t::discarded);
  const std::string text = body.is_null() ? std::string() : body.dump();
  if (const auto remote = remote_gateway()) {
    if (remote->server.empty() || remote->key.empty()) {
      std::cerr << "gatehouse: GATEHOUSE_SERVER and GATEHOUSE_KEY go together; one is not set\n";
      return none;
    }
    return parsed_or_said(api::administer(*remote, method, path, text));
  }
  auto config = gateway::load_config(config_file);
  if (!config) {
    std::cerr << config.error().describe() << '\n';
    return none;
  }
  return parsed_or_said(api::administer(*config, method, path, text, operating_system_actor()));
}

}  // namespace gatehouse::cli
