// Reading gatehouse.yaml. See config.h.
#include "gateway/config.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/config.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "gateway/config_checks.h"
#include "gateway/config_export.h"
#include "gateway/config_guard.h"

namespace gatehouse::gateway {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds one_hour{3'600'000};

std::filesystem::path from_folder_of(const std::filesystem::path& file, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_absolute() ? given : file.parent_path() / given;
}

void read_limits(ConfigReader& root, Config& config) {
  auto node = root.child("limits");
  if (!node) return;
  ConfigReader limits(*node);
  auto size = [&](std::string_view key, std::size_t& value, std::uint64_t min, std::uint64_t max) {
    value = limits.size(key, value, min, max);
  };
  size("header_bytes", config.server.header_bytes, 1024, 256 << 10);
  size("header_count", config.server.header_count, 8, 1'000);
  size("body_bytes", config.server.body_bytes, 1024, 1u << 30);
  size("answer_bytes", config.answer_bytes, 1024, 1u << 30);
  size("event_bytes", config.event_bytes, 1024, 64u << 20);
  size("connections", config.server.connections, 1, 1'000'000);
  size("upstream_connections", config.client.connections, 1, 100'000);
  size("upstream_idle_connections", config.client.idle_connections, 0, 100'000);
  if (auto finished = limits.finish(); !finished) root.note(finished.error());
}

void read_timeouts(ConfigReader& root, Config& config) {
  auto node = root.child("timeouts");
  if (!node) return;
  ConfigReader timeouts(*node);
  auto duration = [&](std::string_view key, milliseconds& value) {
    value = timeouts.duration(key, value, milliseconds(10), one_hour);
  };
  duration("header", config.server.header_timeout);
  duration("body", config.server.body_timeout);
  duration("idle", config.server.idle_timeout);
  duration("write", config.server.write_timeout);
  duration("upstream_connect", config.client.connect_timeout);
  duration("upstream_first_byte", config.client.first_byte_timeout);
  duration("upstream_read", config.client.read_timeout);
  duration("upstream_idle", config.client.idle_timeout);
  duration("drain", config.drain_timeout);
  config.session_lifetime = timeouts.duration("session", config.session_lifetime,
                                              milliseconds(1'000), 24 * 365 * one_hour);
  if (auto finished = timeouts.finish(); !finished) root.note(finished.error());
}

void read_tls(ConfigReader& root, Config& config) {
  auto node = root.child("tls");
  if (!node) return;
  ConfigReader tls(*node);
  const auto certificate = tls.string("certificate", "");
  const auto key = tls.string("key", "");
  const auto ca = tls.string("upstream_ca", "");
  if (certificate.empty() != key.empty())
    tls.note(node->error("certificate and key go together; one of them is missing"));
  if (!certificate.empty())
    config.tls_certificate = from_folder_of(config.file, certificate).string();
  if (!key.empty()) config.tls_key = from_folder_of(config.file, key).string();
  if (!ca.empty()) config.upstream_ca = from_folder_of(config.file, ca).string();
  const auto client_ca = tls.string("client_ca", "");
  config.tls_clients.required = tls.choice("client_certificates", 0, {"optional", "required"}) == 1;
  if (!client_ca.empty())
    config.tls_clients.ca_file = from_folder_of(config.file, client_ca).string();
  if (config.tls_clients.required && client_ca.empty())
    tls.note(node->error("client_certificates: required needs client_ca"));
  if (!client_ca.empty() && certificate.empty())
    tls.note(node->error("client_ca needs certificate and key"));
  if (auto finished = tls.finish(); !finished) root.note(finished.error());
}

// Header names an operator lets through. What the gateway itself writes or takes out cannot be one.
void read_forward_headers(ConfigReader& reader, const ConfigNode& node, ProviderConfig& provider) {
  constexpr std::array<std::string_view, 12> ours{"authorization", "proxy-authorization",
                                                  "x-api-key",     "api-key",
                                                  "cookie",        "host",
                                                  "expect",        "accept-encoding",
                                                  "content-type",  "content-length",
                                                  "connection",    "transfer-encoding"};
  provider.forward_headers = reader.strings("forward_headers");
  for (const auto& name : provider.forward_headers) {
    const bool is_token = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) || c == '-' || c == '_';
    });
    const bool is_ours = std::ranges::any_of(
        ours, [&](std::string_view other) { return equals_ignoring_case(name, other); });
    if (!is_token || is_ours || name.size() > 128)
      reader.note(node.error("forward_headers: \"" + name + "\" cannot be passed on"));
  }
}

void read_provider(ConfigReader& root, const ConfigNode& node, Config& config) {
  ConfigReader reader(node);
  ProviderConfig provider;
  provider.name = reader.required_string("name");
  provider.dialect = reader.choice("dialect", 0, {"openai", "anthropic"}) == 0
                         ? DialectKind::openai
                         : DialectKind::anthropic;
  provider.url = reader.required_string("url");
  provider.inject_usage = reader.boolean("inject_usage", true);
  read_forward_headers(reader, node, provider);
  if (!provider.url.empty()) {
    if (auto endpoint = net::Endpoint::parse(provider.url)) {
      provider.endpoint = std::move(*endpoint);
    } else {
      reader.note(node.find("url")->error(endpoint.error().message));
    }
  }
  if (auto credential = reader.child("credential")) {
    if (auto secret = load_secret(*credential)) {
      provider.credential = std::move(*secret);
    } else {
      reader.note(secret.error());
    }
  }
  if (auto finished = reader.finish(); !finished) {
    root.note(finished.error());
    return;
  }
  if (config.providers.contains(provider.name)) {
    root.note(node.error("provider \"" + provider.name + "\" is defined twice"));
    return;
  }
  config.providers.emplace(provider.name, std::move(provider));
}

// What a lost secret would make useless, if it is there: a ledger or a database.
Result<std::optional<std::filesystem::path>> needs_secret(const std::filesystem::path& data) {
  for (const char* name : {"ledger", "state.db"}) {
    const auto path = data / name;
    std::error_code error;
    // An empty folder is nothing yet; it may be where a volume is mounted.
    if (std::filesystem::exists(path, error) && !std::filesystem::is_empty(path, error) && !error)
      return path;
    if (error)
      return fail(ErrorCode::unavailable, "cannot look: " + error.message(), path.string());
  }
  return std::nullopt;
}

// Of several processes that start at once each ends up with the one that was made first.
Result<void> make_secret(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    return fail(ErrorCode::unavailable, "cannot make the data folder: " + error.message(),
                path.parent_path().string());
  std::array<std::byte, 32> bytes{};
  SystemRandom().fill(bytes);
  auto made = create_file_atomically(path, to_hex(bytes) + "\n", 0600);
  if (!made && made.error().code != ErrorCode::already_exists) return made;
  return {};
}

// The deployment key from data/secret, made on first use. Empty when it is to be left unmade.
Result<Secret> own_secret(const std::filesystem::path& data, FirstSecret first) {
  const auto path = data / "secret";
  // In this order: whoever makes a ledger has made the secret before.
  GH_ASSIGN(const auto needed_by, needs_secret(data));
  auto text = read_file(path, 64 << 10);
  if (!text && text.error().code == ErrorCode::not_found) {
    if (needed_by)
      return fail(ErrorCode::failed_precondition,
                  "the deployment secret is missing, but " + needed_by->string() +
                      " was made with it: restore this file from the backup. With a new secret "
                      "no key would work and the ledger could not be continued",
                  path.string());
    if (first == FirstSecret::leave) return Secret();
    GH_TRY(make_secret(path));
    text = read_file(path, 64 << 10);
  }
  if (!text) return std::unexpected(std::move(text).error());
  return Secret(std::string(trim(*text)));
}

void read_secret(ConfigReader& root, Config& config, FirstSecret first) {
  auto node = root.child("secret");
  auto secret = node ? load_secret(*node) : own_secret(config.data, first);
  if (!secret) {
    root.note(secret.error());
  } else if (!node && secret->reveal().empty() && first == FirstSecret::leave) {
    // Left unmade.
  } else if (secret->reveal().size() < 32) {
    root.note(Error{ErrorCode::invalid_argument,
                    "the deployment secret must have at least 32 bytes", "secret"});
  } else {
    config.secret = std::move(*secret);
  }
}

bool usable_origin(std::string_view origin) {
  const bool bad_byte = std::ranges::any_of(
      origin, [](unsigned char c) { return c <= 0x20 || c == '+' || c == 0x7f; });
  return !origin.empty() && origin.size() <= 255 && !bad_byte;
}

void read_ledger(ConfigReader& root, Config& config) {
  config.ledger_origin = "gatehouse.invalid/" + config.node;
  auto node = root.child("ledger");
  if ((!node || !node->find("origin")) && !usable_origin(config.ledger_origin))
    root.note(Error{ErrorCode::invalid_argument,
                    "the ledger's origin is made from the node's name, and \"" +
                        config.ledger_origin +
                        "\" cannot be one: use 1 to 200 bytes without spaces and '+', or set "
                        "ledger.origin",
                    "node"});
  if (!node) return;
  ConfigReader ledger(*node);
  config.ledger_origin = ledger.string("origin", config.ledger_origin);
  config.checkpoint_interval = ledger.duration("checkpoint_interval", config.checkpoint_interval,
                                               milliseconds(10), milliseconds(60'000));
  if (const auto path = ledger.string("last_signed", ""); !path.empty())
    config.last_signed = from_folder_of(config.file, path);
  read_log_settings(ledger, config);
  config.witnesses = read_witness_settings(ledger, config.file);
  if (node->find("origin") && !usable_origin(config.ledger_origin))
    ledger.note(node->error("origin must have 1 to 255 bytes, no spaces and no '+'"));
  if (auto finished = ledger.finish(); !finished) root.note(finished.error());
}

}  // namespace

Result<net::ListenAddress> parse_listen(std::string_view text) {
  net::ListenAddress address;
  const auto colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_uint(text.substr(colon + 1));
  if (!port || *port > 65'535 || colon == 0) {
    return fail(ErrorCode::invalid_argument,
                "expected ADDRESS:PORT, for example 127.0.0.1:8080 or [::]:8080");
  }
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']')
    address.host = address.host.substr(1, address.host.size() - 2);
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

std::string_view to_string(DialectKind kind) {
  return kind == DialectKind::openai ? "openai" : "anthropic";
}

std::string_view to_string(AuditMode mode) {
  return mode == AuditMode::strict ? "strict" : "relaxed";
}

Result<Config> load_config(const std::filesystem::path& file, FirstSecret first) {
  GH_ASSIGN(const ConfigNode document, ConfigNode::parse_file(file));
  ConfigReader root(document);
  Config config;
  config.file = std::filesystem::absolute(file);
  config.node = root.string("node", "gateway");
  if (auto listen = parse_listen(root.string("listen", "127.0.0.1:8080"))) {
    config.listen = std::move(*listen);
  } else {
    root.note(document.find("listen")->error(listen.error().message));
  }
  config.data = from_folder_of(config.file, root.string("data", "var"));
  config.audit =
      root.choice("audit", 0, {"strict", "relaxed"}) == 0 ? AuditMode::strict : AuditMode::relaxed;
  config.threads = static_cast<std::size_t>(root.integer("threads", 0, 0, 256));
  config.reconcile_interval = root.duration("reconcile_interval", config.reconcile_interval,
                                            milliseconds(1'000), 24 * one_hour);
  if (const auto policies = root.string("policies", ""); !policies.empty())
    config.policies = from_folder_of(config.file, policies);
  if (const auto rules = root.string("rules", ""); !rules.empty())
    config.rules = from_folder_of(config.file, rules);
  read_tls(root, config);
  read_ledger(root, config);
  read_vault(root, config.vault);
  read_provenance(root, config.provenance);
  read_limits(root, config);
  read_timeouts(root, config);
  read_secret(root, config, first);
  for (const auto& provider : root.list("providers")) read_provider(root, provider, config);
  read_exporters(root, config);
  read_guards(root, config);
  read_identity(root, config.identity);
  read_mcp(root, config.file, config.mcp);
  read_checks(root, config.file.parent_path(), config.checks);
  config.budgets = read_budgets(root);
  config.inspection = read_inspection(root, config.file);
  config.tools = read_tools(root);
  GH_TRY(root.finish());
  return config;
}

}  // namespace gatehouse::gateway
