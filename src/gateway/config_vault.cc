// See config_vault.h.
#include "gateway/config_vault.h"

#include <algorithm>
#include <array>

#include "base/config.h"
#include "gateway/exchange.h"

namespace gatehouse::gateway {
namespace {

constexpr std::array<std::string_view, 3> levels{"none", "flagged", "all"};
constexpr std::size_t shortest_key = 32;

void read_key(ConfigReader& vault, std::string_view name, const std::optional<ConfigNode>& node,
              Secret& key) {
  if (!node) return;
  auto secret = load_secret(*node);
  if (!secret) {
    vault.note(secret.error());
  } else if (secret->reveal().size() < shortest_key) {
    vault.note(node->error(std::string(name) + " must have at least 32 bytes"));
  } else {
    key = std::move(*secret);
  }
}

bool is_route(std::string_view name) {
  constexpr std::array known{Route::chat_completions, Route::embeddings, Route::messages,
                             Route::count_tokens, Route::responses};
  return std::ranges::any_of(known, [name](Route route) { return to_string(route) == name; });
}

void read_routes(ConfigReader& vault, VaultConfig& settings) {
  const auto node = vault.child("routes");
  if (!node) return;
  if (!node->is_map()) vault.note(node->error("expected a map of routes, {messages: all}"));
  for (const auto& [name, value] : node->members()) {
    const auto text = value.as_string();
    const auto level = text ? parse_log_content(*text) : std::nullopt;
    if (!is_route(name)) {
      vault.note(value.error(
          "no such route; there are chat.completions, embeddings, messages and count_tokens"));
    } else if (!level) {
      vault.note(value.error("expected none, flagged or all"));
    } else {
      settings.routes[name] = *level;
    }
  }
}

}  // namespace

std::string_view to_string(LogContent level) {
  return levels[static_cast<std::size_t>(level)];
}

std::optional<LogContent> parse_log_content(std::string_view text) {
  const auto found = std::ranges::find(levels, text);
  if (found == levels.end()) return std::nullopt;
  return static_cast<LogContent>(found - levels.begin());
}

LogContent VaultConfig::level_of(std::string_view route) const {
  const auto found = routes.find(route);
  return found == routes.end() ? log_content : found->second;
}

void read_vault(ConfigReader& root, VaultConfig& settings) {
  const auto node = root.child("vault");
  if (!node) return;
  using std::chrono::hours;
  ConfigReader vault(*node);
  read_key(vault, "key", vault.child("key"), settings.key);
  read_key(vault, "old_key", vault.child("old_key"), settings.old_key);
  settings.log_content =
      static_cast<LogContent>(vault.choice("log_content", 0, {"none", "flagged", "all"}));
  read_routes(vault, settings);
  settings.retention =
      vault.duration("retention", settings.retention, hours(24), hours(24 * 36'500));
  settings.max_bytes = vault.size("max_bytes", settings.max_bytes, 16u << 20, 65'536ull << 30);
  settings.segment_bytes = vault.size("segment_bytes", settings.segment_bytes, 1u << 20, 1u << 30);
  if (auto finished = vault.finish(); !finished) root.note(finished.error());
}

}  // namespace gatehouse::gateway
