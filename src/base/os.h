// What the operating system says, as an Error. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse {

// `number` is an errno; the message reads "cannot open: No such file or directory" for `action`
// "open".
Error os_error(int number, std::string_view action, std::string context = {});

}  // namespace gatehouse
