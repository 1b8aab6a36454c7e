// Does the database say what the ledger says? Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/contents.h"
#include "store/state.h"

namespace gatehouse::store {

struct Difference {
  enum class Kind : std::uint8_t {
    only_in_database,  // a row
    only_in_ledger,    // a row
    field,             // of a row that both have
    schema,            // a table, column, index, trigger or view
    applied_index,
  };
  Kind kind = Kind::field;
  std::string table;     // the object's kind and name for schema: "trigger x"
  std::string row;       // key: "gh_1a2b3c4d (0193…)"; model: its name
  std::string field;     // column
  std::string database;  // what the database says; text as it is, other types marked
  std::string ledger;    // what the ledger says

  friend bool operator==(const Difference&, const Difference&) = default;
};
std::string_view to_string(Difference::Kind kind);

// One line for people. Values come from a file nobody vouches for: print with printable().
std::string describe(const Difference& difference);

// Every difference between what the database holds and `fold`: tables api_keys and models row by
// row and field by field, the number of rows of the small tables, and the schema. `expected_index`:
// what `applied` has to say; absent when the caller judges that itself.
std::vector<Difference> compare(const Contents& contents, const State& fold,
                                std::optional<std::uint64_t> expected_index);

}  // namespace gatehouse::store
