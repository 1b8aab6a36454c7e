#include "witness/config.h"

#include <algorithm>

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/trust_policy.h"
#include "ledger/witness_protocol.h"

namespace gatehouse::witness {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t min_secret_bytes = 32;

std::filesystem::path from_folder_of(const std::filesystem::path& file, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_absolute() ? given : file.parent_path() / given;
}

Error error_at(const ConfigNode& document, std::string_view key, std::string message) {
  const auto node = document.find(key);
  return node ? node->error(std::move(message)) : document.error(std::move(message));
}

Result<net::ListenAddress> parse_listen(const std::string& text) {
  net::ListenAddress address;
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : parse_uint(std::string_view(text).substr(colon + 1));
  if (!port || *port > 65'535 || colon == 0) {
    return fail(ErrorCode::invalid_argument,
                "expected ADDRESS:PORT, for example 127.0.0.1:8081 or [::]:8081");
  }
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

void read_listen(ConfigReader& root, const ConfigNode& document, WitnessConfig& config) {
  auto listen = parse_listen(root.string("listen", "127.0.0.1:8081"));
  if (listen) {
    config.listen = std::move(*listen);
  } else {
    root.note(error_at(document, "listen", listen.error().message));
  }
  config.prefix = root.string("prefix", "");
  const bool usable =
      config.prefix.empty() || (config.prefix.front() == '/' && config.prefix.back() != '/' &&
                                config.prefix.find_first_of("? #%") == std::string::npos);
  if (!usable) {
    root.note(error_at(document, "prefix", "expected a path like /witness, or nothing"));
  }
}

void read_tls(ConfigReader& root, WitnessConfig& config) {
  auto node = root.child("tls");
  if (!node) return;
  ConfigReader tls(*node);
  config.tls_certificate = from_folder_of(config.file, tls.required_string("certificate")).string();
  config.tls_key = from_folder_of(config.file, tls.required_string("key")).string();
  if (auto finished = tls.finish(); !finished) root.note(finished.error());
}

void read_identity(ConfigReader& root, const ConfigNode& document, WitnessConfig& config) {
  config.name = root.required_string("name");
  if (!config.name.empty()) {
    if (const auto usable = ledger::check_key_name(config.name); !usable) {
      root.note(error_at(document, "name", usable.error().message));
    }
  }
  const auto node = root.child("secret");
  if (!node) {
    root.note(Error{ErrorCode::invalid_argument,
                    "\"secret\" is missing: {file: PATH}, {env: NAME} or {command: […]} with at "
                    "least 32 bytes",
                    "secret"});
    return;
  }
  auto secret = load_secret(*node);
  if (!secret) {
    root.note(secret.error());
  } else if (secret->reveal().size() < min_secret_bytes) {
    root.note(node->error("the secret must have at least 32 bytes"));
  } else {
    config.secret = std::move(*secret);
  }
}

// A log that cannot be verified is an error here: its operator would wait for a 200 in vain.
void add_policy_logs(ConfigReader& root, const std::string& path, WitnessConfig& config) {
  const auto file = from_folder_of(config.file, path);
  const auto bytes = read_file(file, ledger::max_policy_bytes);
  if (!bytes) return root.note(bytes.error());
  const auto policy = ledger::parse_trust_policy(*bytes, file.string());
  if (!policy) return root.note(policy.error());
  for (const ledger::PolicyLog& log : policy->logs) {
    if (log.key) {
      config.logs.push_back(*log.key);
    } else {
      root.note(Error{ErrorCode::invalid_argument,
                      "the key " + log.vkey.substr(0, 120) + " is not an Ed25519 key (type 0x01)",
                      file.string()});
    }
  }
}

void read_logs(ConfigReader& root, const ConfigNode& document, WitnessConfig& config) {
  for (const std::string& text : root.strings("logs")) {
    auto key = ledger::parse_verifier_key(text);
    if (key) {
      config.logs.push_back(std::move(*key));
    } else {
      root.note(error_at(document, "logs", key.error().message));
    }
  }
  const std::string policy = root.string("policy", "");
  if (!policy.empty()) add_policy_logs(root, policy, config);
  if (config.logs.empty()) {
    root.note(Error{ErrorCode::invalid_argument,
                    "no log is listed, neither under \"logs\" nor in a \"policy\" file",
                    config.file.string()});
  }
}

void read_limits(ConfigReader& root, WitnessConfig& config) {
  config.limits.body_bytes = ledger::max_add_checkpoint_bytes;
  config.limits.connections =
      static_cast<std::size_t>(root.integer("connections", 1'000, 1, 100'000));
  const milliseconds timeout =
      root.duration("timeout", milliseconds(10'000), milliseconds(100), milliseconds(600'000));
  config.limits.header_timeout = config.limits.body_timeout = timeout;
  config.limits.write_timeout = timeout;
}

}  // namespace

Result<WitnessConfig> load_witness_config(const std::filesystem::path& file) {
  GH_ASSIGN(const ConfigNode document, ConfigNode::parse_file(file));
  ConfigReader root(document);
  WitnessConfig config;
  config.file = std::filesystem::absolute(file);
  read_listen(root, document, config);
  read_tls(root, config);
  read_identity(root, document, config);
  config.data = from_folder_of(config.file, root.string("data", "witness"));
  read_logs(root, document, config);
  read_limits(root, config);
  GH_TRY(root.finish());
  return config;
}

}  // namespace gatehouse::witness
