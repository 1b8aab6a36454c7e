// UUID version 7 (RFC 9562 section 5.7): sortable by creation time. 36 characters, lower case.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace gatehouse {

std::string make_uuid7(const Clock& clock, Random& random);
std::string make_uuid7(WallTime time, Random& random);
// The time in it, to the millisecond. `id` must be a UUID.
WallTime time_of_uuid7(std::string_view id);
bool is_uuid(std::string_view text);

}  // namespace gatehouse
