// The default policy set with its tests, compiled into the program from policies/.
#pragma once

#include <span>
#include <string_view>

namespace gatehouse::policy {

struct BuiltinFile {
  std::string_view name;  // "10-models.cedar", "tests/models.yaml"
  std::string_view text;
};

std::span<const BuiltinFile> builtin_files();  // in name order

}  // namespace gatehouse::policy
