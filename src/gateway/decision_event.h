// How a decision stands in its event. Used by the walk, which writes it, and by replay, which
// derives it again and compares. Everything is bounded: an event must fit into an entry whatever
// was sent and however many policies and rules there are. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "gateway/problem.h"
#include "policy/policy.h"

namespace gatehouse::gateway {

inline constexpr std::size_t longest_text = 1'024;  // of one value from outside
inline constexpr std::size_t longest_name = 256;    // of one value from policies and rules
inline constexpr std::size_t longest_list = 24;     // of policies, obligations, errors
inline constexpr std::size_t most_tools = 128;
inline constexpr std::size_t longest_tools = 4'096;  // bytes of all their names

// The members effect, problem, status, policies, obligations, errors, shadow of an open object.
void write_decision(JsonWriter& writer, const policy::Decision& decision,
                    std::optional<Problem> problem);

// Which members of what write_decision() writes are cut: "policies", …
std::vector<std::string_view> cut_members(const policy::Decision& decision);

// The same in words, for a caller that was refused: which policies, and their advice.
std::string blocked_by(const policy::Decision& decision);

}  // namespace gatehouse::gateway
