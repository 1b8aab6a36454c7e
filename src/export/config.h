// One item of `export:` in gatehouse.yaml as a value (docs/settings.md, docs/export.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/client.h"

namespace gatehouse::exporter {

enum class Type : std::uint8_t { ocsf_http, ocsf_file, cef_syslog, otlp_logs, otlp_traces };
std::string_view to_string(Type type);

// Where an exporter begins that has no remembered position yet.
enum class From : std::uint8_t { start, now };

struct Config {
  std::string name;  // also the name of its position's file
  Type type = Type::ocsf_http;
  std::string url;         // as written, for messages
  net::Endpoint endpoint;  // of all but the file
  std::string ca;          // PEM file; empty: the system's trust store
  Secret credential;       // empty: none is sent
  std::string scheme = "Bearer";
  std::filesystem::path path;  // of the file
  std::uint64_t rotate = 100u << 20;
  std::size_t keep = 10;
  From from = From::start;
  std::size_t batch = 500;
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds retry_max{30'000};
};

// Relative paths are taken from `folder`. The error lists every problem, one a line.
Result<Config> read_config(const ConfigNode& node, const std::filesystem::path& folder);

}  // namespace gatehouse::exporter
