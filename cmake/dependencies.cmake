# Third-party libraries, all from Debian 12 packages (scripts/install-dependencies lists them).
# A room names the ones it wraps; nothing is linked globally.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(simdjson REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(benchmark REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(HYPERSCAN REQUIRED IMPORTED_TARGET libhs)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)

# SOCI's Debian package ships no CMake config.
add_library(soci INTERFACE)
target_include_directories(soci SYSTEM INTERFACE /usr/include/soci)
target_link_libraries(soci INTERFACE soci_core soci_sqlite3 PkgConfig::SQLITE)
# UBSan's vptr check needs type information that the package does not export.
if(GATEHOUSE_SANITIZE)
  target_compile_options(soci INTERFACE -fno-sanitize=vptr)
endif()
