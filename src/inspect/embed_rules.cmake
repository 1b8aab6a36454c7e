# Writes a .cc that holds the rule files as text:
#   cmake -DOUTPUT=<file> -DROOT=<folder> "-DFILES=<a.yaml|b.yaml>" -P embed_rules.cmake
string(REPLACE "|" ";" files "${FILES}")
set(text "// Generated from rules/*.yaml by embed_rules.cmake.\n#include \"inspect/rule_set.h\"\n\n")
string(APPEND text "namespace gatehouse::inspect {\nnamespace {\n\nconstexpr std::pair<std::string_view, std::string_view> files[] = {\n")
foreach(file IN LISTS files)
  file(RELATIVE_PATH name "${ROOT}" "${file}")
  file(READ "${file}" content)
  string(APPEND text "    {\"${name}\",\n")
  string(APPEND text "     R\"gatehouse(${content})gatehouse\"\n")
  string(APPEND text "    },\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n\nstd::span<const std::pair<std::string_view, std::string_view>> builtin_rule_files() {\n  return files;\n}\n\n}  // namespace gatehouse::inspect\n")
file(WRITE "${OUTPUT}" "${text}")
