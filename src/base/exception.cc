// See exception.h.
#include "base/exception.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <typeinfo>

namespace gatehouse {

std::string describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    const char* const type = typeid(exception).name();
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(type, nullptr, nullptr, &status), &std::free);
    std::string text = readable ? readable.get() : type;
    // "[json.exception.type_error.302] type must be …": no more than the number.
    const std::string_view what = exception.what();
    if (const auto end = what.find(']'); what.starts_with('[') && end != std::string_view::npos)
      text.append(" ").append(what.substr(0, end + 1));
    return text;
  } catch (...) {
    return "of a type of its own";
  }
}

}  // namespace gatehouse
