// See contents.h.
#include "store/contents.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/text.h"
#include "store/change.h"

namespace gatehouse::store {
namespace {

constexpr std::size_t max_bytes = 1u << 30;      // of all values read
constexpr std::size_t max_objects = 10'000;      // of the schema
constexpr int steps_between_checks = 1'000'000;  // of SQLite's machine
constexpr int max_checks = 20'000;
constexpr int busy_milliseconds = 5'000;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinishStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

ErrorCode code_of(int status) {
  switch (status & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return ErrorCode::data_loss;
    case SQLITE_INTERRUPT:
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return ErrorCode::resource_exhausted;
    case SQLITE_ERROR:
      return ErrorCode::data_loss;  // the statements are ours: the file's schema does not fit them
    default:
      return ErrorCode::unavailable;
  }
}

// One read-only connection and the snapshot it sees.
class Reader {
 public:
  static Result<Reader> open(const std::filesystem::path& file);

  // Calls `each` with the statement for every row.
  template <class Each>
  Result<void> select(const std::string& sql, const Each& each);
  Result<void> run(const char* sql);
  Result<StoredTable> table(const std::string& name);
  Result<std::vector<SchemaObject>> schema();

 private:
  Reader(Database database, std::string file)
      : database_(std::move(database)), file_(std::move(file)), checks_(std::make_unique<int>(0)) {}
  std::unexpected<Error> problem(int status) const {
    return fail(code_of(status), sqlite3_errmsg(database_.get()), file_);
  }
  Result<void> harden();
  Result<Cell> cell(sqlite3_stmt* statement, int column);
  Result<std::string> text(sqlite3_stmt* statement, int column);

  Database database_;
  std::string file_;
  std::unique_ptr<int> checks_;
  std::size_t bytes_ = 0;
};

Result<Database> open_read_only(const std::string& target, const std::string& file) {
  sqlite3* opened = nullptr;
  const int status =
      sqlite3_open_v2(target.c_str(), &opened,
                      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  if (status != SQLITE_OK)
    return fail(code_of(status), database ? sqlite3_errmsg(database.get()) : "no memory", file);
  return database;
}

// A path as SQLite's URI: everything but the plainest characters escaped.
std::string uri_of(const std::string& file) {
  std::string uri = "file:";
  for (const char c : file) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      uri += c;
    } else {
      uri += '%' + to_hex(bytes_of(std::string_view(&c, 1)));
    }
  }
  return uri;
}

Result<void> Reader::harden() {
  sqlite3* const database = database_.get();
  sqlite3_busy_timeout(database, busy_milliseconds);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, 16 << 20);
  sqlite3_progress_handler(
      database, steps_between_checks,
      [](void* checks) { return ++*static_cast<int*>(checks) > max_checks ? 1 : 0; },
      checks_.get());
  GH_TRY(run("PRAGMA query_only = ON"));
  GH_TRY(run("PRAGMA cell_size_check = ON"));
  GH_TRY(run("BEGIN"));
  // The snapshot is taken by the first read.
  return run("SELECT COUNT(*) FROM sqlite_master");
}

Result<Reader> Reader::open(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    return fail(ErrorCode::not_found, "there is no such file", file.string());
  const std::string uri = uri_of(file.string());
  GH_ASSIGN(Database database, open_read_only(uri + "?mode=ro", file.string()));
  Reader reader(std::move(database), file.string());
  Result<void> ready = reader.harden();
  // A copy on a read-only file system: SQLite cannot make its shared memory beside it. Without a
  // write-ahead log there is nothing to share.
  if (!ready && ready.error().code == ErrorCode::unavailable &&
      !std::filesystem::exists(file.string() + "-wal", error)) {
    GH_ASSIGN(Database again, open_read_only(uri + "?mode=ro&immutable=1", file.string()));
    reader = Reader(std::move(again), file.string());
    ready = reader.harden();
  }
  GH_TRY(std::move(ready));
  return reader;
}

template <class Each>
Result<void> Reader::select(const std::string& sql, const Each& each) {
  sqlite3_stmt* prepared = nullptr;
  int status = sqlite3_prepare_v2(database_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                  &prepared, nullptr);
  const Statement statement(prepared);
  if (status != SQLITE_OK) return problem(status);
  while ((status = sqlite3_step(prepared)) == SQLITE_ROW) GH_TRY(each(prepared));
  if (status != SQLITE_DONE) return problem(status);
  return {};
}

Result<void> Reader::run(const char* sql) {
  return select(sql, [](sqlite3_stmt*) -> Result<void> { return {}; });
}

Result<std::string> Reader::text(sqlite3_stmt* statement, int column) {
  const void* const data = sqlite3_column_blob(statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  bytes_ += size;
  if (bytes_ > max_bytes)
    return fail(ErrorCode::resource_exhausted, "more than a database of Gatehouse can hold", file_);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

Result<Cell> Reader::cell(sqlite3_stmt* statement, int column) {
  Cell cell;
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      cell.type = Cell::Type::integer;
      break;
    case SQLITE_FLOAT:
      cell.type = Cell::Type::real;
      break;
    case SQLITE_TEXT:
      cell.type = Cell::Type::text;
      break;
    case SQLITE_BLOB:
      cell.type = Cell::Type::blob;
      break;
    default:
      return cell;
  }
  GH_ASSIGN(cell.bytes, text(statement, column));
  return cell;
}

Result<StoredTable> Reader::table(const std::string& name) {
  StoredTable table;
  // "main." and NOT INDEXED: the rows themselves, whatever an index says about them.
  const std::string sql = "SELECT * FROM main.\"" + name + "\" NOT INDEXED";
  const auto read_row = [&](sqlite3_stmt* statement) -> Result<void> {
    const int columns = sqlite3_column_count(statement);
    if (table.columns.empty())
      for (int at = 0; at < columns; ++at)
        table.columns.emplace_back(sqlite3_column_name(statement, at));
    std::vector<Cell> row;
    for (int at = 0; at < columns; ++at) {
      GH_ASSIGN(Cell value, cell(statement, at));
      row.push_back(std::move(value));
    }
    table.rows.push_back(std::move(row));
    return {};
  };
  GH_TRY(select(sql, read_row));
  return table;
}

Result<std::vector<SchemaObject>> Reader::schema() {
  std::vector<SchemaObject> objects;
  GH_TRY(select("SELECT type, name, tbl_name, sql FROM main.sqlite_master",
                [&](sqlite3_stmt* statement) -> Result<void> {
                  SchemaObject object;
                  GH_ASSIGN(object.type, text(statement, 0));
                  GH_ASSIGN(object.name, text(statement, 1));
                  GH_ASSIGN(object.table, text(statement, 2));
                  GH_ASSIGN(object.sql, text(statement, 3));
                  objects.push_back(std::move(object));
                  if (objects.size() > max_objects)
                    return fail(ErrorCode::resource_exhausted, "too many tables", file_);
                  return {};
                }));
  std::ranges::sort(objects);
  return objects;
}

// A plain table: reading a view or a virtual table would run what somebody else wrote.
bool has_plain_table(const Contents& contents, std::string_view name) {
  return std::ranges::any_of(contents.schema, [name](const SchemaObject& object) {
    return object.type == "table" && object.name == name && object.sql.starts_with("CREATE TABLE");
  });
}

constexpr std::array<const char*, 7> read_tables = {
    "api_keys", "applied", "mcp_tools", "models", "records", "schema_version", "seal"};

// ---- as state -------------------------------------------------------------------------------

// Reads one row's columns by name; what is not text is a problem.
class RowReader {
 public:
  RowReader(const StoredTable& table, const std::vector<Cell>& row) : table_(table), row_(row) {}
  std::string text(std::string_view column) {
    const auto at = std::ranges::find(table_.columns, column) - table_.columns.begin();
    const auto index = static_cast<std::size_t>(at);
    if (index < row_.size() && row_[index].type == Cell::Type::text) return row_[index].bytes;
    wrong = true;
    return {};
  }
  // Of a column that earlier versions do not have.
  std::string text_if_there(std::string_view column) {
    const bool there = std::ranges::find(table_.columns, column) != table_.columns.end();
    return there ? text(column) : std::string();
  }
  bool wrong = false;

 private:
  const StoredTable& table_;
  const std::vector<Cell>& row_;
};

const StoredTable* find_table(const Contents& contents, const std::string& name) {
  const auto table = contents.tables.find(name);
  return table == contents.tables.end() ? nullptr : &table->second;
}

Result<KeyRecord> key_from(const StoredTable& table, const std::vector<Cell>& row) {
  RowReader read(table, row);
  KeyRecord key;
  key.id = read.text("id");
  key.prefix = read.text("prefix");
  key.hash = read.text("hash");
  key.principal_kind = read.text("principal_kind");
  key.principal_id = read.text("principal_id");
  const std::string attributes = read.text("attributes");
  key.created = read.text("created");
  key.expires = read.text("expires");
  key.revoked = read.text("revoked");
  if (read.wrong) return fail(ErrorCode::data_loss, "a row of api_keys is not text throughout");
  GH_ASSIGN(key.attributes, parse_attributes(attributes));
  return key;
}

Result<ModelRecord> model_from(const StoredTable& table, const std::vector<Cell>& row) {
  RowReader read(table, row);
  ModelRecord model{read.text("name"),
                    read.text("provider"),
                    read.text("upstream_name"),
                    read.text("trust"),
                    read.text("created"),
                    read.text("removed"),
                    read.text_if_there("clearance")};
  if (read.wrong) return fail(ErrorCode::data_loss, "a row of models is not text throughout");
  return model;
}

Result<Record> record_from(const StoredTable& table, const std::vector<Cell>& row) {
  RowReader read(table, row);
  Record record{read.text("name"), read.text("data")};
  if (read.wrong) return fail(ErrorCode::data_loss, "a row of records is not text throughout");
  return record;
}

Result<ToolRecord> tool_from(const StoredTable& table, const std::vector<Cell>& row) {
  RowReader read(table, row);
  ToolRecord tool{read.text("server"),   read.text("tool"),     read.text("digest"),
                  read.text("reviewed"), read.text("reviewer"), read.text("changed")};
  if (read.text("id") != tool.key() || read.wrong)
    return fail(ErrorCode::data_loss, "a row of mcp_tools is not what it must be");
  return tool;
}

const Cell* single_cell(const Contents& contents, const std::string& name) {
  const StoredTable* const table = find_table(contents, name);
  if (table == nullptr || table->rows.size() != 1 || table->rows.front().size() != 1)
    return nullptr;
  return table->rows.front().data();
}

}  // namespace

Result<Contents> read_contents(const std::filesystem::path& file) {
  GH_ASSIGN(Reader reader, Reader::open(file));
  Contents contents;
  GH_ASSIGN(contents.schema, reader.schema());
  for (const char* name : read_tables) {
    if (!has_plain_table(contents, name)) continue;
    GH_ASSIGN(contents.tables[name], reader.table(name));
  }
  if (has_plain_table(contents, "sessions")) {
    GH_TRY(reader.select("SELECT COUNT(*) FROM main.sessions NOT INDEXED",
                         [&](sqlite3_stmt* statement) -> Result<void> {
                           contents.sessions =
                               static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
                           return {};
                         }));
  }
  return contents;
}

std::optional<std::uint64_t> applied_index(const Contents& contents) {
  const Cell* const cell = single_cell(contents, "applied");
  if (cell == nullptr || cell->type != Cell::Type::integer) return std::nullopt;
  return parse_uint(cell->bytes);  // nothing for a negative one
}

Result<StoredState> stored_state(const Contents& contents) {
  const StoredTable* const keys_table = find_table(contents, "api_keys");
  const StoredTable* const models_table = find_table(contents, "models");
  const auto next = applied_index(contents);
  if (keys_table == nullptr || models_table == nullptr || !next)
    return fail(ErrorCode::data_loss, "a table is missing or not what it must be");
  std::vector<KeyRecord> keys;
  for (const auto& row : keys_table->rows) {
    GH_ASSIGN(KeyRecord key, key_from(*keys_table, row));
    keys.push_back(std::move(key));
  }
  std::vector<ModelRecord> models;
  for (const auto& row : models_table->rows) {
    GH_ASSIGN(ModelRecord model, model_from(*models_table, row));
    models.push_back(std::move(model));
  }
  std::vector<Record> records;
  // A database of an earlier schema has none.
  if (const StoredTable* const table = find_table(contents, "records")) {
    for (const auto& row : table->rows) {
      GH_ASSIGN(Record record, record_from(*table, row));
      records.push_back(std::move(record));
    }
  }
  // A database of before has no such table yet; then there are none.
  std::vector<ToolRecord> tools;
  if (const StoredTable* const tools_table = find_table(contents, "mcp_tools")) {
    for (const auto& row : tools_table->rows) {
      GH_ASSIGN(ToolRecord tool, tool_from(*tools_table, row));
      tools.push_back(std::move(tool));
    }
  }
  StoredState stored;
  GH_ASSIGN(stored.state, State::from_records(std::move(keys), std::move(models),
                                              std::move(records), std::move(tools), *next));
  const Cell* const seal = single_cell(contents, "seal");
  if (seal != nullptr && seal->type == Cell::Type::text) stored.seal = seal->bytes;
  return stored;
}

}  // namespace gatehouse::store
