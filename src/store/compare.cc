// See compare.h. Rows are compared as the bytes in the file against the bytes this program would
// write, so that a blob where text belongs, or a text with something behind a zero, is seen.
#include "store/compare.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/schema.h"

namespace gatehouse::store {
namespace {

constexpr std::size_t max_shown = 512;  // of one value

using Fields = std::vector<std::pair<std::string, std::string>>;

struct ExpectedRow {
  std::string name;  // for people
  Fields fields;     // every column; all of them text
};
using ExpectedRows = std::map<std::string, ExpectedRow>;  // by primary key

ExpectedRows expected_keys(const State& fold) {
  ExpectedRows rows;
  for (const auto& [id, key] : fold.all_keys())
    rows[id] = {key.prefix + " (" + id + ")",
                {{"id", id},
                 {"prefix", key.prefix},
                 {"hash", key.hash},
                 {"principal_kind", key.principal_kind},
                 {"principal_id", key.principal_id},
                 {"attributes", attributes_json(key)},
                 {"created", key.created},
                 {"expires", key.expires},
                 {"revoked", key.revoked}}};
  return rows;
}

// A database of an earlier version has no clearances, and none to compare.
ExpectedRows expected_models(const State& fold, const StoredTable* stored) {
  const bool has_clearance =
      stored == nullptr || std::ranges::find(stored->columns, "clearance") != stored->columns.end();
  ExpectedRows rows;
  for (const auto& [name, model] : fold.all_models()) {
    rows[name] = {name,
                  {{"name", name},
                   {"provider", model.provider},
                   {"upstream_name", model.upstream_name},
                   {"trust", model.trust},
                   {"created", model.created},
                   {"removed", model.removed}}};
    if (has_clearance) rows[name].fields.emplace_back("clearance", model.clearance);
  }
  return rows;
}

ExpectedRows expected_records(const State& fold) {
  ExpectedRows rows;
  for (const auto& [name, data] : fold.records())
    rows[name] = {name, {{"name", name}, {"data", data}}};
  return rows;
}

ExpectedRows expected_tools(const State& fold) {
  ExpectedRows rows;
  for (const auto& [key, tool] : fold.all_tools())
    rows[key] = {key,
                 {{"id", key},
                  {"server", tool.server},
                  {"tool", tool.tool},
                  {"digest", tool.digest},
                  {"reviewed", tool.reviewed},
                  {"reviewer", tool.reviewer},
                  {"changed", tool.changed}}};
  return rows;
}

std::string shown(const Cell& cell) {
  std::string text(utf8_prefix(cell.bytes, max_shown));
  if (text.size() < cell.bytes.size()) text += "…";
  switch (cell.type) {
    case Cell::Type::null:
      return "(null)";
    case Cell::Type::integer:
    case Cell::Type::real:
      return "(number) " + text;
    case Cell::Type::blob:
      return "(blob) " + to_hex(bytes_of(std::string_view(cell.bytes).substr(0, max_shown / 2)));
    case Cell::Type::text:
      return text;
  }
  return text;
}

// A table of the file, looked at row by row.
class TableComparison {
 public:
  TableComparison(std::string name, const StoredTable* stored, ExpectedRows expected,
                  std::vector<Difference>& out)
      : name_(std::move(name)), stored_(stored), expected_(std::move(expected)), out_(out) {}

  void run() {
    if (stored_ != nullptr)
      for (const auto& row : stored_->rows) compare_row(row);
    for (const auto& [key, row] : expected_)
      add(Difference::Kind::only_in_ledger, row.name, "", "", "");
  }

 private:
  void compare_row(const std::vector<Cell>& row) {
    const Cell* const key = row.empty() ? nullptr : row.data();  // the first column is the key
    const auto expected = key != nullptr && key->type == Cell::Type::text
                              ? expected_.find(key->bytes)
                              : expected_.end();
    if (expected == expected_.end()) {
      add(Difference::Kind::only_in_database, name_of(row), "", "", "");
      return;
    }
    for (const auto& [column, value] : expected->second.fields)
      compare_field(row, expected->second.name, column, value);
    for (std::size_t at = 0; at < stored_->columns.size(); ++at)
      if (std::ranges::find(expected->second.fields, stored_->columns[at],
                            &Fields::value_type::first) == expected->second.fields.end())
        add(Difference::Kind::field, expected->second.name, stored_->columns[at], shown(row[at]),
            "(no such column)");
    expected_.erase(expected);  // a second row of the same key is one too many
  }

  void compare_field(const std::vector<Cell>& row, const std::string& row_name,
                     const std::string& column, const std::string& value) {
    const auto at = static_cast<std::size_t>(std::ranges::find(stored_->columns, column) -
                                             stored_->columns.begin());
    if (at >= row.size()) {
      add(Difference::Kind::field, row_name, column, "(no such column)", value);
    } else if (row[at] != Cell{Cell::Type::text, value}) {
      add(Difference::Kind::field, row_name, column, shown(row[at]), value);
    }
  }

  std::string name_of(const std::vector<Cell>& row) const {
    std::string name = row.empty() ? "?" : shown(row[0]);
    if (name_ == "api_keys" && row.size() > 1) name = shown(row[1]) + " (" + name + ")";
    return name;
  }
  void add(Difference::Kind kind, std::string row, std::string field, std::string database,
           std::string ledger) {
    out_.push_back(
        {kind, name_, std::move(row), std::move(field), std::move(database), std::move(ledger)});
  }

  std::string name_;
  const StoredTable* stored_;
  ExpectedRows expected_;
  std::vector<Difference>& out_;
};

const StoredTable* find_table(const Contents& contents, const std::string& name) {
  const auto table = contents.tables.find(name);
  return table == contents.tables.end() ? nullptr : &table->second;
}

// The version the database claims; the newest when it claims none of ours.
int version_of(const Contents& contents) {
  const StoredTable* const table = find_table(contents, "schema_version");
  if (table == nullptr || table->rows.size() != 1 || table->rows.front().size() != 1)
    return newest_schema();
  const Cell& cell = table->rows.front().front();
  const auto version =
      cell.type == Cell::Type::integer ? parse_uint(cell.bytes) : std::optional<std::uint64_t>();
  if (!version || *version < 1 || *version > static_cast<std::uint64_t>(newest_schema()))
    return newest_schema();
  return static_cast<int>(*version);
}

void compare_schema(const Contents& contents, std::vector<Difference>& out) {
  const auto expected = expected_schema(version_of(contents));
  if (!expected) {
    out.push_back({Difference::Kind::schema, "schema", "", "", "", expected.error().message});
    return;
  }
  const auto same_place = [](const SchemaObject& object) {
    return [&object](const SchemaObject& other) {
      return other.type == object.type && other.name == object.name;
    };
  };
  for (const SchemaObject& object : contents.schema) {
    const auto known = std::ranges::find_if(*expected, same_place(object));
    const std::string what = object.type + " " + object.name;
    if (known == expected->end()) {
      out.push_back({Difference::Kind::schema, what, "", "",
                     std::string(utf8_prefix(object.sql, max_shown)), "(not there)"});
    } else if (*known != object) {
      out.push_back({Difference::Kind::schema, what, "", "",
                     std::string(utf8_prefix(object.sql, max_shown)), known->sql});
    }
  }
  for (const SchemaObject& object : *expected)
    if (std::ranges::none_of(contents.schema, same_place(object)))
      out.push_back({Difference::Kind::schema, object.type + " " + object.name, "", "",
                     "(not there)", object.sql});
}

// Tables that are one row with one value.
void compare_single(const Contents& contents, const std::string& name,
                    std::vector<Difference>& out) {
  const StoredTable* const table = find_table(contents, name);
  if (table == nullptr || table->rows.size() == 1) return;  // missing: the schema says it
  out.push_back(
      {Difference::Kind::field, name, "", "rows", std::to_string(table->rows.size()), "1"});
}

void compare_version(const Contents& contents, std::vector<Difference>& out) {
  const StoredTable* const table = find_table(contents, "schema_version");
  if (table == nullptr || table->rows.size() != 1) return;
  const Cell& cell = table->rows.front().front();
  const std::string expected = std::to_string(version_of(contents));
  if (cell != Cell{Cell::Type::integer, expected})
    out.push_back(
        {Difference::Kind::field, "schema_version", "", "version", shown(cell), expected});
}

void compare_index(const Contents& contents, std::uint64_t expected, std::vector<Difference>& out) {
  const StoredTable* const table = find_table(contents, "applied");
  if (table == nullptr || table->rows.size() != 1) return;
  const Cell& cell = table->rows.front().front();
  if (cell != Cell{Cell::Type::integer, std::to_string(expected)})
    out.push_back({Difference::Kind::applied_index, "applied", "", "next_index", shown(cell),
                   std::to_string(expected)});
}

}  // namespace

std::string_view to_string(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::only_in_database:
      return "only_in_database";
    case Difference::Kind::only_in_ledger:
      return "only_in_ledger";
    case Difference::Kind::field:
      return "field";
    case Difference::Kind::schema:
      return "schema";
    case Difference::Kind::applied_index:
      return "applied_index";
  }
  return "field";
}

std::string describe(const Difference& difference) {
  const std::string where = difference.table + (difference.row.empty() ? "" : " " + difference.row);
  switch (difference.kind) {
    case Difference::Kind::only_in_database:
      return where + ": only in the database; no event made it";
    case Difference::Kind::only_in_ledger:
      return where + ": only in the ledger; the database lacks it";
    default:
      break;
  }
  return where + (difference.field.empty() ? "" : " " + difference.field) +
         ": the database has \"" + difference.database + "\", the ledger \"" + difference.ledger +
         "\"";
}

std::vector<Difference> compare(const Contents& contents, const State& fold,
                                std::optional<std::uint64_t> expected_index) {
  std::vector<Difference> out;
  compare_schema(contents, out);
  for (const char* name : {"applied", "schema_version", "seal"})
    compare_single(contents, name, out);
  compare_version(contents, out);
  if (expected_index) compare_index(contents, *expected_index, out);
  TableComparison("api_keys", find_table(contents, "api_keys"), expected_keys(fold), out).run();
  const StoredTable* const models = find_table(contents, "models");
  TableComparison("models", models, expected_models(fold, models), out).run();
  TableComparison("records", find_table(contents, "records"), expected_records(fold), out).run();
  TableComparison("mcp_tools", find_table(contents, "mcp_tools"), expected_tools(fold), out).run();
  return out;
}

}  // namespace gatehouse::store
