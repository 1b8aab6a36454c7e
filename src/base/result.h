// Values for what can be expected to go wrong. A function that can fail returns Result<T>; the
// error says what was wrong (message), where (context, outermost first) and of which kind (code).
// Exceptions stop at the call into the third-party library that throws them.
//
// GH_CHECK aborts: the program itself is wrong. GH_TRY returns the error to the caller.
#pragma once

#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

enum class ErrorCode {
  invalid_argument,     // the input is wrong and will stay wrong
  not_found,            // the named thing does not exist
  already_exists,       // the named thing exists and must not
  permission_denied,    // known caller, not allowed
  unauthenticated,      // unknown caller
  failed_precondition,  // the system is not in the state this needs
  resource_exhausted,   // a limit or a disk is full
  deadline_exceeded,    // out of time
  cancelled,            // the asker went away
  unavailable,          // a dependency is down; later may work
  data_loss,            // stored bytes are not what was stored
  internal,             // a bug or an environment nobody expected
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string context;  // "gatehouse.yaml:12: providers[0].url", a path, an entry index …

  // "context: message", or only the message where there is no context.
  std::string describe() const;
  // The same error seen from one level further out.
  Error within(std::string_view outer) &&;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string context = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(context)});
}

[[noreturn]] void check_failed(std::string_view expression, std::string_view detail,
                               std::source_location where);

}  // namespace gatehouse

#define GH_CHECK(condition)                                                       \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::gatehouse::check_failed(#condition, "", std::source_location::current()); \
  } while (false)

#define GH_CONCAT_INNER(a, b) a##b
#define GH_CONCAT(a, b) GH_CONCAT_INNER(a, b)

// GH_TRY(expression): return its error, drop its value.
#define GH_TRY(expression)                                      \
  do {                                                          \
    if (auto gh_result = (expression); !gh_result) [[unlikely]] \
      return std::unexpected(std::move(gh_result).error());     \
  } while (false)

// GH_ASSIGN(auto x, expression): return its error or bind its value.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define GH_ASSIGN(declaration, expression)                                      \
  auto GH_CONCAT(gh_assign_, __LINE__) = (expression);                          \
  if (!GH_CONCAT(gh_assign_, __LINE__)) [[unlikely]]                            \
    return std::unexpected(std::move(GH_CONCAT(gh_assign_, __LINE__)).error()); \
  declaration = std::move(*GH_CONCAT(gh_assign_, __LINE__))

// The same two inside a coroutine.
#define GH_CO_TRY(expression)                                   \
  do {                                                          \
    if (auto gh_result = (expression); !gh_result) [[unlikely]] \
      co_return std::unexpected(std::move(gh_result).error());  \
  } while (false)

#define GH_CO_ASSIGN(declaration, expression)                                      \
  auto GH_CONCAT(gh_assign_, __LINE__) = (expression);                             \
  if (!GH_CONCAT(gh_assign_, __LINE__)) [[unlikely]]                               \
    co_return std::unexpected(std::move(GH_CONCAT(gh_assign_, __LINE__)).error()); \
  declaration = std::move(*GH_CONCAT(gh_assign_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)
