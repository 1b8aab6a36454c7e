// The categories' names, as they stand in rule files, labels and policies.
#include "inspect/inspect.h"

namespace gatehouse::inspect {

std::string_view to_string(Category category) {
  switch (category) {
    case Category::credentials:
      return "credentials";
    case Category::personal:
      return "personal";
  }
  return "unknown";
}

Result<Category> parse_category(std::string_view text) {
  for (const Category category : {Category::credentials, Category::personal})
    if (to_string(category) == text) return category;
  return fail(ErrorCode::invalid_argument,
              "unknown category '" + std::string(text) + "'; known: credentials, personal");
}

}  // namespace gatehouse::inspect
