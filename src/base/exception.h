// Exceptions are bugs here: errors that can be expected are Results. One that is thrown all the
// same is told of in the log, and ends the request it belongs to.
#pragma once

#include <exception>
#include <string>

namespace gatehouse {

// The type of what was thrown, and for nlohmann's the number. Nothing of what was in the data,
// which the texts of exceptions like to quote.
std::string describe(const std::exception_ptr& thrown);

}  // namespace gatehouse
