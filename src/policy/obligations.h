// What the annotations of a policy mean. Pure functions; used at load, once a policy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace gatehouse::policy {

struct Annotation {
  std::string_view key;
  std::string_view value;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct AnnotationProblem {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
  bool is_warning = false;
};

// Fills description, advice, shadow and obligations of `policy`; what is wrong is returned.
std::vector<AnnotationProblem> read_annotations(const std::vector<Annotation>& annotations,
                                                PolicyInfo& policy);

// Sorted, unique, at most one log_content: the one that keeps least.
void settle(std::vector<Obligation>& obligations);

}  // namespace gatehouse::policy
