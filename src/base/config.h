// YAML configuration, read strictly: an unknown key, a missing key or a wrong type is an error that
// names file, line, key and what was expected. A ConfigNode is a cheap view into the document.
//
//   GH_ASSIGN(auto root, ConfigNode::parse_file("gatehouse.yaml"));
//   ConfigReader reader(root);                     // expects a map
//   auto listen = reader.string("listen").or_default("127.0.0.1:8080");
//
// The reader collects: finish() returns all errors found and any key nobody asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse {

class ConfigNode {
 public:
  static Result<ConfigNode> parse(std::string_view yaml, std::string file_name);
  static Result<ConfigNode> parse_file(const std::filesystem::path& path);

  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;
  std::vector<ConfigNode> items() const;                            // list items
  std::vector<std::pair<std::string, ConfigNode>> members() const;  // map, in document order
  std::optional<ConfigNode> find(std::string_view key) const;       // map member
  Result<std::string> as_string() const;
  Result<bool> as_bool() const;
  Result<std::int64_t> as_int() const;
  Result<double> as_double() const;
  Result<std::vector<std::string>> as_strings() const;  // a list of scalars, or one scalar

  std::string where() const;  // "gatehouse.yaml:12: providers[0].url"
  Error error(std::string message) const;

  struct Impl;

 private:
  explicit ConfigNode(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Reads the members of one map. Each getter returns the fallback when the key is absent and notes
// an error when it is present and wrong; `required` notes an error when it is absent.
class ConfigReader {
 public:
  explicit ConfigReader(ConfigNode map);

  std::string string(std::string_view key, std::string fallback);
  std::string required_string(std::string_view key);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  // "250ms", "10s", "5m", "24h", "184d"
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                     std::chrono::milliseconds min, std::chrono::milliseconds max);
  // "512", "64KiB", "32MiB", "1GiB"
  std::uint64_t size(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                     std::uint64_t max);
  // One of `allowed`; returns its index.
  std::size_t choice(std::string_view key, std::size_t fallback,
                     const std::vector<std::string_view>& allowed);
  std::vector<std::string> strings(std::string_view key, std::vector<std::string> fallback = {});
  std::optional<ConfigNode> child(std::string_view key);  // any type; the caller reads it
  std::vector<ConfigNode> list(std::string_view key);     // absent: empty

  void note(Error error);  // a problem found by the caller
  Result<void> finish();   // the errors, one a line, and unknown keys with the nearest known

 private:
  std::optional<ConfigNode> take(std::string_view key);
  ConfigNode map_;
  std::vector<std::string> asked_;
  std::vector<Error> errors_;
};

}  // namespace gatehouse
