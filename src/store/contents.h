// What a database file holds, byte for byte, read in one consistent snapshot: also beside a running
// gateway, and from a copy. Nothing in the file is trusted: no schema of its own is executed beyond
// reading plain tables, values keep their types, sizes and steps are bounded. Changes nothing.
//
// Straight over SQLite's C interface: SOCI turns values into what the column promises, and here it
// matters what is really there. Blocking; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/state.h"

namespace gatehouse::store {

struct Cell {
  enum class Type : std::uint8_t { null, integer, real, text, blob };
  Type type = Type::null;
  std::string bytes;  // numbers as decimal text

  friend bool operator==(const Cell&, const Cell&) = default;
};

struct StoredTable {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

// One row of sqlite_master.
struct SchemaObject {
  std::string type;  // table, index, trigger, view
  std::string name;
  std::string table;
  std::string sql;

  friend auto operator<=>(const SchemaObject&, const SchemaObject&) = default;
};

struct Contents {
  std::vector<SchemaObject> schema;           // sorted
  std::map<std::string, StoredTable> tables;  // those this program knows, sessions left out
  std::uint64_t sessions = 0;                 // rows
};

// Errors: not_found; data_loss: not a database, or a damaged one; resource_exhausted: more than a
// database of ours can hold; unavailable: locked or unreadable.
Result<Contents> read_contents(const std::filesystem::path& file);

// The schema of `version`, as this program makes it.
Result<std::vector<SchemaObject>> expected_schema(int version);

// What the tables say, as state. data_loss: something in them cannot be state (a missing table, a
// value of another type, a row twice). Whether it is the right state, this does not say.
struct StoredState {
  State state;
  std::string seal;
};
Result<StoredState> stored_state(const Contents& contents);

// The number in `applied`; nothing when the table is not one row with one index.
std::optional<std::uint64_t> applied_index(const Contents& contents);

}  // namespace gatehouse::store
