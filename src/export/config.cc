// See config.h.
#include "export/config.h"

#include <algorithm>

namespace gatehouse::exporter {
namespace {

using std::chrono::milliseconds;

bool is_name(std::string_view name) {
  constexpr std::size_t longest_name = 64;
  const bool usable = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return usable && !name.empty() && name.size() <= longest_name;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::filesystem::path below(const std::filesystem::path& folder, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_absolute() ? given : folder / given;
}

// tcp://HOST:PORT, tls://HOST:PORT.
Result<net::Endpoint> parse_stream_url(std::string_view url) {
  const bool tls = url.starts_with("tls://");
  if (!tls && !url.starts_with("tcp://"))
    return fail(ErrorCode::invalid_argument, "expected tcp://HOST:PORT or tls://HOST:PORT");
  const std::string_view rest = url.substr(6);
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.find(']', colon) != std::string_view::npos)
    return fail(ErrorCode::invalid_argument,
                "the port is missing; syslog over TLS usually has 6514, over TCP 601 or 514");
  GH_ASSIGN(auto endpoint,
            net::Endpoint::parse((tls ? "https://" : "http://") + std::string(rest)));
  if (!endpoint.base_path.empty())
    return fail(ErrorCode::invalid_argument, "a syslog receiver has no path");
  return endpoint;
}

Result<net::Endpoint> parse_http_url(std::string_view url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return net::Endpoint::parse(url);
  return fail(ErrorCode::invalid_argument, "expected http://… or https://…");
}

void read_network(ConfigReader& exporter, const ConfigNode& node,
                  const std::filesystem::path& folder, Config& config) {
  config.url = exporter.required_string("url");
  if (!config.url.empty()) {
    auto endpoint =
        config.type == Type::cef_syslog ? parse_stream_url(config.url) : parse_http_url(config.url);
    if (endpoint) {
      config.endpoint = std::move(*endpoint);
    } else {
      exporter.note(node.error("url: " + endpoint.error().message));
    }
  }
  if (const auto ca = exporter.string("ca", ""); !ca.empty())
    config.ca = below(folder, ca).string();
}

void read_credential(ConfigReader& exporter, const ConfigNode& node, Config& config) {
  config.scheme = exporter.string("scheme", "Bearer");
  if (!is_printable(config.scheme) || config.scheme.empty() || config.scheme.size() > 32)
    exporter.note(node.error("scheme must be one word, for example Bearer, Splunk or ApiKey"));
  const auto credential = exporter.child("credential");
  if (!credential) return;
  auto secret = load_secret(*credential);
  if (!secret) {
    exporter.note(secret.error());
  } else if (secret->empty() || !is_printable(secret->reveal())) {
    exporter.note(credential->error("a credential is one word of printable characters"));
  } else {
    config.credential = std::move(*secret);
  }
}

void read_file_settings(ConfigReader& exporter, const std::filesystem::path& folder,
                        Config& config) {
  if (const auto path = exporter.required_string("path"); !path.empty())
    config.path = below(folder, path);
  config.rotate = exporter.size("rotate", 100u << 20, 64u << 10, 1ull << 40);
  config.keep = static_cast<std::size_t>(exporter.integer("keep", 10, 1, 10'000));
}

}  // namespace

std::string_view to_string(Type type) {
  constexpr std::string_view names[] = {"ocsf-http", "ocsf-file", "cef-syslog", "otlp-logs",
                                        "otlp-traces"};
  return names[static_cast<std::size_t>(type)];
}

Result<Config> read_config(const ConfigNode& node, const std::filesystem::path& folder) {
  ConfigReader exporter(node);
  Config config;
  config.name = exporter.required_string("name");
  if (node.find("name") && !is_name(config.name))
    exporter.note(node.error("name must have 1 to 64 of a-z, 0-9, - and _"));
  config.type = static_cast<Type>(exporter.choice(
      "type", 0, {"ocsf-http", "ocsf-file", "cef-syslog", "otlp-logs", "otlp-traces"}));
  if (config.type == Type::ocsf_file) {
    read_file_settings(exporter, folder, config);
  } else {
    read_network(exporter, node, folder, config);
  }
  const bool speaks_http = config.type != Type::ocsf_file && config.type != Type::cef_syslog;
  if (speaks_http) read_credential(exporter, node, config);
  config.from = exporter.choice("from", 0, {"start", "now"}) == 0 ? From::start : From::now;
  config.batch = static_cast<std::size_t>(exporter.integer("batch", 500, 1, 10'000));
  config.timeout =
      exporter.duration("timeout", milliseconds(30'000), milliseconds(100), milliseconds(600'000));
  config.retry_max = exporter.duration("retry_max", milliseconds(30'000), milliseconds(100),
                                       milliseconds(3'600'000));
  GH_TRY(exporter.finish());
  return config;
}

}  // namespace gatehouse::exporter
