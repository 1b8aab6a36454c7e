// What a caller is told of a body that did not come whole.
#pragma once

#include "base/result.h"
#include "gateway/problem.h"

namespace gatehouse::gateway {

ApiError body_error(const Error& error);

}  // namespace gatehouse::gateway
