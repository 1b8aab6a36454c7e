// What both dialects share when they read a request: collecting channels. Internal to gateway/.
#pragma once

#include <string_view>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

class RequestReader : public JsonVisitor {
 public:
  explicit RequestReader(Exchange& exchange) : exchange_(exchange) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override;
  void on_number(Path path, std::string_view text, JsonSpan span) override;
  void on_key(Path object, std::string_view key, JsonSpan inside) override;

  // After the walk: the problems a caller must hear about.
  Result<void> finish() const;

 protected:
  // What this dialect says about the string at `path`.
  virtual TextRole role_of(Path path, std::string_view text) = 0;
  Exchange& exchange_;

 private:
  void add(JsonSpan inside, std::string_view text, TextRole role, bool is_number);
  std::size_t models_seen_ = 0;
};

// Replaces opaque base64 by a role: encoded bytes are not inspected and the exchange is marked.
TextRole role_of_data(Exchange& exchange, std::string_view text);

}  // namespace gatehouse::gateway
