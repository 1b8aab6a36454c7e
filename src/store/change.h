// A state event as the store applies it: parsed and checked whole before any statement runs. Pure;
// inside of store/.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace gatehouse::store {

struct KeyCreated {
  KeyRecord key;
};
struct KeyRevoked {
  std::string id;
  std::string time;
};
struct ModelAdded {
  ModelRecord model;
};
struct ModelRemoved {
  std::string name;
  std::string time;
};
struct RecordPut {
  Record record;
};
struct RecordRemoved {
  std::string name;
};
struct ToolReviewed {
  ToolRecord tool;
};
struct ToolChanged {
  std::string key;
  std::string digest;
};
struct ToolWithdrawn {
  std::string key;
};
struct Unrelated {};  // an event that is no change of state

using Change = std::variant<Unrelated, KeyCreated, KeyRevoked, ModelAdded, ModelRemoved, RecordPut,
                            RecordRemoved, ToolReviewed, ToolChanged, ToolWithdrawn>;

// Error (invalid_argument, naming the type and the member) when `type` is known and `data_json` is
// not what it must be. Members that are not known are passed over: a newer writer may add some.
Result<Change> parse_change(std::string_view type, std::string_view data_json);

// {"name":"value",…} as pairs sorted by name.
Result<std::vector<std::pair<std::string, std::string>>> parse_attributes(std::string_view json);

}  // namespace gatehouse::store
