// A request in the flat form that cedar/gatehouse_cedar.h takes. Everything points into the
// request, which must outlive it.
#pragma once

#include <string_view>
#include <vector>

#include "gatehouse_cedar.h"
#include "policy/policy.h"

namespace gatehouse::policy {

inline gh_cedar_text text_for_cedar(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view text_from_cedar(gh_cedar_text text) {
  return {text.data, text.size};
}

class FlatRequest {
 public:
  explicit FlatRequest(const Request& request);
  FlatRequest(const FlatRequest&) = delete;
  FlatRequest& operator=(const FlatRequest&) = delete;

  const gh_cedar_request& get() const { return request_; }
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  Range add(const Attributes& attributes);
  void add(std::string_view key, const Value& value);
  void add(std::string_view key, const std::string& value);
  void add_parents(const Entity& entity);
  gh_cedar_nodes nodes(Range range) const;

  std::vector<gh_cedar_node> nodes_;
  std::vector<gh_cedar_uid> parents_;
  std::vector<gh_cedar_entity> others_;
  gh_cedar_request request_{};
};

}  // namespace gatehouse::policy
