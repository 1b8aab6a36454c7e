# Writes OUTPUT: the files of FOLDER as C++ string literals, for builtin.h.
file(GLOB files RELATIVE ${FOLDER}
  ${FOLDER}/*.cedarschema ${FOLDER}/*.cedar ${FOLDER}/tests/*.yaml ${FOLDER}/claims/*.yaml)
list(SORT files)
set(entries "")
foreach(name IN LISTS files)
  file(READ ${FOLDER}/${name} text)
  string(FIND "${text}" ")builtin\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${name} contains the end mark of the string literal it is embedded as")
  endif()
  string(APPEND entries "    {\"${name}\", R\"builtin(${text})builtin\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from policies/ by src/policy/embed.cmake.
#include \"policy/builtin.h\"

namespace gatehouse::policy {
namespace {
constexpr BuiltinFile files[] = {
${entries}};
}  // namespace

std::span<const BuiltinFile> builtin_files() { return files; }

}  // namespace gatehouse::policy
")
