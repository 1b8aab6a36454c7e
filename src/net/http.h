// HTTP/1.1 message heads as validated values (RFC 9110, RFC 9112). What arrives is parsed, checked
// by validator.h and only then becomes one of these; what leaves is serialised from one of these,
// with exactly one framing. Raw header bytes are never relayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::net {

struct Field {
  std::string name;  // as it came
  std::string value;
};

class Fields {
 public:
  // The first field of that name (case-insensitive), or nullopt.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);  // replaces all of that name
  void remove(std::string_view name);
  void reserve(std::size_t count) { fields_.reserve(count); }
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

struct RequestHead {
  std::string method;
  std::string target;  // origin-form: path and query as they came
  Fields fields;       // without framing and hop-by-hop fields
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const;
};

struct ResponseHead {
  int status = 200;
  Fields fields;  // without framing and hop-by-hop fields
};

std::string_view reason_phrase(int status);

}  // namespace gatehouse::net
