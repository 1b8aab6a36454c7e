// The fold in memory and the fold in the database are the same fold; and whatever single thing in
// the database is changed by hand is named.
#include "store/state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/id.h"
#include "store/compare.h"
#include "store/contents.h"

namespace gatehouse::store {
namespace {

using Json = nlohmann::json;

std::string uuid(int number) {
  std::string digits = std::to_string(number);
  return "01900000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

std::string hash_of(int number) {
  std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), 'a') + digits;
}

// Few names, so that random events meet: keys made twice, models removed that are not there.
StateEvent random_event() {
  const int number = *rc::gen::inRange(0, 6);
  const std::string when =
      "2026-11-2" + std::to_string(*rc::gen::inRange(0, 10)) + "T10:00:00.000000Z";
  const std::string tool = "t" + std::to_string(number % 3);
  switch (*rc::gen::inRange(0, 15)) {
    case 11:
      return {*rc::gen::element<std::string>("approval.requested", "approval.granted"),
              Json{{"version", 1}, {"approval", "ap_" + std::to_string(number)}, {"expires", when}}
                  .dump()};
    case 12:
      return {*rc::gen::element<std::string>("approval.used", "approval.expired"),
              Json{{"version", 1},
                   {"approval", "ap_" + std::to_string(number)},
                   {"used", true},
                   {"standing", number % 2 == 0}}
                  .dump()};
    case 13:
      return {*rc::gen::element<std::string>("account.provisioned", "account.removed"),
              Json{{"id", "a" + std::to_string(number)}, {"userName", when}}.dump()};
    case 14:
      return {*rc::gen::element<std::string>("group.provisioned", "group.removed"),
              Json{{"id", "g" + std::to_string(number)}, {"displayName", when}}.dump()};
    case 8:
      return {"token.revoked",
              Json{{"id", "t" + std::to_string(number)}, {"revoked", when}}.dump()};
    case 9:
      return {"principal.revoked",
              Json{{"revoked", when}, {"principal", "user:p" + std::to_string(number)}}.dump()};
    case 10:
      return {"principal.restored",
              Json{{"principal", "user:p" + std::to_string(number)}, {"restored", when}}.dump()};
    case 0:
    case 1:
      return {"key.created",
              Json{{"id", uuid(number)},
                   {"prefix", "gh_" + std::to_string(*rc::gen::inRange(0, 8))},
                   {"hash", hash_of(*rc::gen::inRange(0, 8))},
                   {"principal_kind", *rc::gen::element<std::string>("user", "service", "agent")},
                   {"principal_id", "p" + std::to_string(number)},
                   {"attributes", {{"team", *rc::gen::element<std::string>("red", "Löwe\"\\")}}},
                   {"created", when},
                   {"expires", *rc::gen::element<std::string>("", when)}}
                  .dump()};
    case 2:
      return {"key.revoked", Json{{"id", uuid(number)}, {"revoked", when}}.dump()};
    case 3:
      return {"model.added", Json{{"name", "m" + std::to_string(number)},
                                  {"provider", "sim"},
                                  {"upstream_name", "up"},
                                  {"trust", "internal"},
                                  {"created", when}}
                                 .dump()};
    case 4:
      return {"mcp.tool.reviewed", Json{{"server", "docs"},
                                        {"tool", tool},
                                        {"digest", "sha256:" + hash_of(number)},
                                        {"reviewed", when},
                                        {"reviewer", "cli:ada"}}
                                       .dump()};
    case 5:
      return {
          "mcp.tool.changed",
          Json{{"server", "docs"}, {"tool", tool}, {"digest", "sha256:" + hash_of(number)}}.dump()};
    case 6: {
      Json withdrawn = {{"server", "docs"}, {"tool", tool}};
      if (number % 2 == 0) withdrawn["kept"] = "1";
      return {"mcp.tool.withdrawn", withdrawn.dump()};
    }
    default:
      return {"model.removed",
              Json{{"name", "m" + std::to_string(number)}, {"removed", when}}.dump()};
  }
}

// A database in a folder that goes away, and the state it should hold.
class Both {
 public:
  Both() {
    SystemRandom random;
    // In memory where there is such a place: hundreds of databases, each synced many times.
    const std::filesystem::path memory = "/dev/shm";
    folder_ = (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
              ("state_test." + make_uuid7(SystemClock(), random));
    std::filesystem::create_directory(folder_);
    auto opened = Store::open(file());
    GH_CHECK(opened);
    store = std::move(*opened);
  }
  ~Both() {
    store.reset();
    std::filesystem::remove_all(folder_);
  }
  Both(const Both&) = delete;
  Both& operator=(const Both&) = delete;

  std::filesystem::path file() const { return folder_ / "state.db"; }
  // Both take the event, or both refuse it in the same way.
  void apply(const StateEvent& event) {
    const auto in_store = store->apply(next, event.type, event.data);
    const auto in_memory = state.apply(next, event.type, event.data);
    RC_ASSERT(in_store.has_value() == in_memory.has_value());
    if (!in_store) {
      RC_ASSERT(in_store.error().code == in_memory.error().code);
    } else {
      ++next;
    }
  }
  std::vector<Difference> differences() const {
    const auto contents = read_contents(file());
    GH_CHECK(contents);
    return compare(*contents, state, next);
  }
  // As another program would.
  void run_sql(const std::string& sql) const {
    sqlite3* database = nullptr;
    GH_CHECK(sqlite3_open(file().c_str(), &database) == SQLITE_OK);
    const int status = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    const std::string message = sqlite3_errmsg(database);
    sqlite3_close(database);
    if (status != SQLITE_OK) ADD_FAILURE() << sql << ": " << message;
  }

  std::unique_ptr<Store> store;
  State state;
  std::uint64_t next = 0;

 private:
  std::filesystem::path folder_;
};

const StateEvent ada = {"key.created", Json{{"id", uuid(1)},
                                            {"prefix", "gh_1"},
                                            {"hash", hash_of(1)},
                                            {"principal_kind", "user"},
                                            {"principal_id", "ada"},
                                            {"attributes", {{"team", "red"}}},
                                            {"created", "2026-11-23T10:00:00.000000Z"},
                                            {"expires", ""}}
                                           .dump()};
const StateEvent gpt = {"model.added", Json{{"name", "gpt"},
                                            {"provider", "sim"},
                                            {"upstream_name", "up"},
                                            {"trust", "external"},
                                            {"created", "2026-11-23T10:00:00.000000Z"}}
                                           .dump()};

RC_GTEST_PROP(State, database_and_memory_are_the_same_fold, ()) {
  Both both;
  const int events = *rc::gen::inRange(0, 40);
  for (int i = 0; i < events; ++i) both.apply(random_event());
  RC_ASSERT(both.differences().empty());
  const auto contents = read_contents(both.file());
  RC_ASSERT(contents);
  const auto stored = stored_state(*contents);
  RC_ASSERT(stored);
  RC_ASSERT(stored->state == both.state);
  // And the events made of the state have it as their fold.
  State again;
  std::uint64_t index = 0;
  for (const StateEvent& event : events_of(both.state))
    RC_ASSERT(again.apply(index++, event.type, event.data));
  RC_ASSERT(again.canonical() == both.state.canonical());
}

RC_GTEST_PROP(State, a_replaced_database_is_the_state, ()) {
  Both both;
  both.apply(ada);
  for (int i = 0; i < 10; ++i) both.apply(random_event());
  Both other;
  for (int i = 0; i < 10; ++i) other.apply(random_event());
  RC_ASSERT(other.store->replace(both.state, "seal"));
  other.state = both.state;
  other.next = both.next;
  RC_ASSERT(other.differences().empty());
  RC_ASSERT(stored_state(*other.store->contents())->seal == "seal");
}

// One change by hand, of any value of any row, a row gone or a row more, is named as that.
RC_GTEST_PROP(State, any_single_edit_is_named, ()) {
  Both both;
  both.apply(ada);
  both.apply(gpt);
  both.apply({"token.revoked", R"({"id":"t9","revoked":"2026-11-21T10:00:00.000000Z"})"});
  for (int i = 0; i < 12; ++i) both.apply(random_event());
  const std::string table = *rc::gen::element<std::string>("api_keys", "models", "records");
  const std::string primary = table == "api_keys" ? "id" : "name";
  const auto contents = read_contents(both.file());
  const auto& rows = contents->tables.at(table);
  const auto row =
      static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(rows.rows.size())));
  const auto column =
      static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(rows.columns.size())));
  const std::string where = " WHERE " + primary + " = '" + rows.rows[row][0].bytes + "'";
  switch (*rc::gen::inRange(0, 4)) {
    case 0: {  // another value
      const std::string value =
          *rc::gen::element<std::string>("'x'", "x'ff00'", "''", "7", "'a' || char(0) || 'b'");
      both.run_sql("UPDATE " + table + " SET " + rows.columns[column] + " = " + value + where);
      const auto after = read_contents(both.file());
      if (after->tables.at(table).rows == rows.rows) RC_DISCARD("the value was that already");
      const auto found = both.differences();
      if (column == 0) {
        RC_ASSERT(found.size() == 2u);
        RC_ASSERT(found[0].kind == Difference::Kind::only_in_database);
        RC_ASSERT(found[1].kind == Difference::Kind::only_in_ledger);
      } else {
        RC_ASSERT(found.size() == 1u);
        RC_ASSERT(found[0].kind == Difference::Kind::field);
        RC_ASSERT(found[0].field == rows.columns[column]);
        RC_ASSERT(found[0].row.find(rows.rows[row][0].bytes) != std::string::npos);
      }
      break;
    }
    case 1: {
      both.run_sql("DELETE FROM " + table + where);
      const auto found = both.differences();
      RC_ASSERT(found.size() == 1u);
      RC_ASSERT(found[0].kind == Difference::Kind::only_in_ledger);
      RC_ASSERT(found[0].table == table);
      break;
    }
    case 2: {
      both.run_sql(
          table == "api_keys"
              ? "INSERT INTO api_keys VALUES ('evil','gh_evil','00','user','root','{}','','','')"
          : table == "models" ? "INSERT INTO models VALUES ('evil','sim','up','internal','','','')"
                              : "INSERT INTO records VALUES ('evil','{}')");
      const auto found = both.differences();
      RC_ASSERT(found.size() == 1u);
      RC_ASSERT(found[0].kind == Difference::Kind::only_in_database);
      RC_ASSERT(found[0].row.find("evil") != std::string::npos);
      break;
    }
    default: {
      const auto by =
          *rc::gen::element<std::string>("next_index + 1", "next_index - 1", "'x'", "-1");
      both.run_sql("UPDATE applied SET next_index = " + by);
      const auto found = both.differences();
      RC_ASSERT(found.size() == 1u);
      RC_ASSERT(found[0].kind == Difference::Kind::applied_index);
    }
  }
}

TEST(Compare, foreign_parts_of_the_schema_are_named) {
  Both both;
  both.apply(ada);
  const auto one = [&](const std::string& sql, const std::string& what, const std::string& undo) {
    both.run_sql(sql);
    const auto found = both.differences();
    ASSERT_EQ(found.size(), 1u) << sql;
    EXPECT_EQ(found[0].kind, Difference::Kind::schema);
    EXPECT_EQ(found[0].table, what);
    both.run_sql(undo);
    EXPECT_TRUE(both.differences().empty()) << undo;
  };
  one("CREATE TRIGGER t AFTER INSERT ON api_keys BEGIN DELETE FROM models; END", "trigger t",
      "DROP TRIGGER t");
  one("CREATE VIEW v AS SELECT 1", "view v", "DROP VIEW v");
  one("CREATE TABLE more (a)", "table more", "DROP TABLE more");
  one("CREATE INDEX i ON models (trust)", "index i", "DROP INDEX i");
  one("DROP INDEX sessions_by_expiry", "index sessions_by_expiry",
      "CREATE INDEX sessions_by_expiry ON sessions (expires)");
}

TEST(Compare, another_column_is_named_in_schema_and_rows) {
  Both both;
  both.apply(ada);
  both.run_sql("ALTER TABLE api_keys ADD COLUMN admin TEXT NOT NULL DEFAULT 'yes'");
  const auto found = both.differences();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].kind, Difference::Kind::schema);
  EXPECT_EQ(found[0].table, "table api_keys");
  EXPECT_EQ(found[1].field, "admin");
  EXPECT_EQ(found[1].database, "yes");
}

TEST(Compare, a_view_in_the_place_of_a_table_is_not_read) {
  Both both;
  both.apply(ada);
  both.run_sql(
      "DROP TABLE api_keys; CREATE VIEW api_keys AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
      "SELECT i + 1 FROM n) SELECT i FROM n");
  bool missing = false;
  for (const auto& difference : both.differences()) missing |= difference.table == "table api_keys";
  EXPECT_TRUE(missing);
  EXPECT_FALSE(stored_state(*read_contents(both.file())));
}

TEST(Compare, small_tables_have_one_row) {
  for (const std::string table : {"applied", "schema_version", "seal"}) {
    Both both;
    both.run_sql("DELETE FROM " + table);
    const auto found = both.differences();
    ASSERT_EQ(found.size(), 1u) << table;
    EXPECT_EQ(found[0].table, table);
  }
  Both both;
  both.run_sql("UPDATE schema_version SET version = 99");
  ASSERT_EQ(both.differences().size(), 1u);
  EXPECT_EQ(both.differences()[0].table, "schema_version");
}

TEST(Contents, a_file_that_is_no_database_is_damaged) {
  Both both;
  const auto other = both.file().parent_path() / "other.db";
  EXPECT_EQ(read_contents(other).error().code, ErrorCode::not_found);
  ASSERT_TRUE(write_file_atomically(other, std::string(8192, 'x')));
  EXPECT_EQ(read_contents(other).error().code, ErrorCode::data_loss);
}

TEST(Contents, a_copy_without_its_log_files_is_read) {
  Both both;
  both.apply(ada);
  both.store.reset();  // the write-ahead log is merged
  const auto copy = both.file().parent_path() / "a copy?#%.db";
  std::filesystem::copy_file(both.file(), copy);
  const auto contents = read_contents(copy);
  ASSERT_TRUE(contents) << contents.error().describe();
  EXPECT_TRUE(compare(*contents, both.state, 1).empty());
}

TEST(Contents, sessions_are_counted_and_can_be_taken_along) {
  Both both;
  ASSERT_TRUE(both.store->put_session("a", "sealed", WallTime(std::chrono::seconds(1000))));
  EXPECT_EQ(read_contents(both.file())->sessions, 1u);
  EXPECT_TRUE(both.differences().empty());
  Both other;
  EXPECT_EQ(other.store->copy_sessions_from(both.file()), 1u);
  EXPECT_EQ(*other.store->session("a"), "sealed");
}

TEST(StateEvents, are_found_in_entries) {
  EXPECT_FALSE(*state_event_in(R"({"type":"request.decided","data":{"why":"key.created"}})"));
  const auto found = state_event_in(R"({"type":"key.revoked","data":{"id":"x"}})");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->data, R"({"id":"x"})");
  EXPECT_EQ(state_event_in("key.created but no JSON").error().code, ErrorCode::data_loss);
}

}  // namespace
}  // namespace gatehouse::store
