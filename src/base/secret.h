// A secret from outside: a file, an environment variable or a command that prints it. The
// configuration says which; the value is never written to logs and is wiped when dropped.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"

namespace gatehouse {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept { value_.swap(other.value_); }
  // By value, then swapped: the old value is wiped with the parameter.
  Secret& operator=(Secret other) noexcept {
    value_.swap(other.value_);
    return *this;
  }
  ~Secret();

  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// Reads {file: PATH} | {env: NAME} | {command: [argv…]}; trailing newlines trimmed. At most 64 KiB;
// a command runs without a shell, has 10 seconds, and must end with status 0.
Result<Secret> load_secret(const ConfigNode& node,
                           std::chrono::milliseconds command_limit = std::chrono::seconds(10));

}  // namespace gatehouse
