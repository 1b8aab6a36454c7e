// Migrations are a list: entry i brings a database from version i to i + 1. An entry never changes
// once released; a new schema is a new entry.
#include "store/schema.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "store/contents.h"

namespace gatehouse::store {
namespace {

constexpr int busy_attempts = 250;
constexpr std::chrono::milliseconds busy_pause{20};

using Statements = std::vector<const char*>;

const std::vector<Statements>& migrations() {
  static const std::vector<Statements> list = {
      {
          "CREATE TABLE applied (next_index BIGINT NOT NULL)",
          "INSERT INTO applied (next_index) VALUES (0)",
          "CREATE TABLE api_keys ("
          " id TEXT PRIMARY KEY NOT NULL,"
          " prefix TEXT NOT NULL UNIQUE,"
          " hash TEXT NOT NULL UNIQUE,"
          " principal_kind TEXT NOT NULL,"
          " principal_id TEXT NOT NULL,"
          " attributes TEXT NOT NULL,"
          " created TEXT NOT NULL,"
          " expires TEXT NOT NULL,"
          " revoked TEXT NOT NULL)",
          "CREATE TABLE models ("
          " name TEXT PRIMARY KEY NOT NULL,"
          " provider TEXT NOT NULL,"
          " upstream_name TEXT NOT NULL,"
          " trust TEXT NOT NULL,"
          " created TEXT NOT NULL,"
          " removed TEXT NOT NULL)",
          "CREATE TABLE sessions ("
          " id TEXT PRIMARY KEY NOT NULL,"
          " sealed TEXT NOT NULL,"
          " expires BIGINT NOT NULL)",
          "CREATE INDEX sessions_by_expiry ON sessions (expires)",
      },
      {
          "CREATE TABLE seal (seal TEXT NOT NULL)",
          "INSERT INTO seal (seal) VALUES ('')",
      },
      {
          "ALTER TABLE models ADD COLUMN clearance TEXT NOT NULL DEFAULT ''",
      },
      {
          "CREATE TABLE records ("
          " name TEXT PRIMARY KEY NOT NULL,"
          " data TEXT NOT NULL)",
      },
      {
          "CREATE TABLE mcp_tools ("
          " id TEXT PRIMARY KEY NOT NULL,"
          " server TEXT NOT NULL,"
          " tool TEXT NOT NULL,"
          " digest TEXT NOT NULL,"
          " reviewed TEXT NOT NULL,"
          " reviewer TEXT NOT NULL,"
          " changed TEXT NOT NULL)",
      },
  };
  return list;
}

int count_tables(soci::session& sql, const std::string& name_or_any) {
  int count = 0;
  sql << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND (:any = '' OR name = :name)",
      soci::use(name_or_any), soci::use(name_or_any), soci::into(count);
  return count;
}

void make_version_table(soci::session& sql) {
  sql << "CREATE TABLE schema_version (version INTEGER NOT NULL)";
  sql << "INSERT INTO schema_version (version) VALUES (0)";
}

Result<int> read_version(soci::session& sql) {
  if (count_tables(sql, "schema_version") == 0) {
    if (count_tables(sql, "") != 0)
      return fail(ErrorCode::failed_precondition,
                  "a database of another program; Gatehouse needs a file of its own");
    make_version_table(sql);
  }
  int version = 0;
  sql << "SELECT version FROM schema_version", soci::into(version);
  if (version > newest_schema())
    return fail(ErrorCode::failed_precondition,
                "written by a newer Gatehouse (schema " + std::to_string(version) +
                    "; this program knows up to " + std::to_string(newest_schema()) + ")");
  return version;
}

void migrate(soci::session& sql, int version, int target) {
  for (; version < target; ++version)
    for (const char* statement : migrations()[static_cast<std::size_t>(version)]) sql << statement;
  sql << "UPDATE schema_version SET version = :version", soci::use(version);
}

// Changing to the write-ahead log needs the file alone, and SQLite does not wait for that even with
// a busy timeout; the one change in a database's life can meet another process doing the same.
void switch_to_write_ahead_log(soci::session& sql, std::string& mode) {
  for (int attempt = 0;; ++attempt) {
    try {
      sql << "PRAGMA journal_mode = WAL", soci::into(mode);
      return;
    } catch (const soci::sqlite3_soci_error& problem) {
      if ((problem.result() & 0xff) != SQLITE_BUSY || attempt == busy_attempts) throw;
      std::this_thread::sleep_for(busy_pause);
    }
  }
}

Result<void> set_up_connection(soci::session& sql) {
  std::string mode;
  switch_to_write_ahead_log(sql, mode);
  if (mode != "wal")
    return fail(ErrorCode::failed_precondition,
                "the file system does not support SQLite's write-ahead log");
  sql << "PRAGMA synchronous = FULL";
  sql << "PRAGMA trusted_schema = OFF";
  return {};
}

}  // namespace

int newest_schema() {
  return static_cast<int>(migrations().size());
}

void make_schema(soci::session& sql, int version) {
  make_version_table(sql);
  migrate(sql, 0, version);
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception& problem) {
    // Harmless where SQLite has rolled back by itself already, as it does after some errors.
    log_debug("rollback failed", {{"reason", problem.what()}});
  }
}

Result<void> prepare_schema(soci::session& sql) {
  GH_TRY(set_up_connection(sql));
  Transaction transaction(sql);
  GH_ASSIGN(const int version, read_version(sql));
  if (version == newest_schema()) return {};
  migrate(sql, version, newest_schema());
  transaction.commit();
  return {};
}

Result<std::vector<SchemaObject>> expected_schema(int version) {
  std::vector<SchemaObject> objects;
  try {
    soci::session sql(soci::sqlite3, "dbname=:memory:");
    make_schema(sql, version);
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_master");
    for (const soci::row& row : rows)
      objects.push_back({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2),
                         row.get<std::string>(3)});
  } catch (const std::exception& problem) {
    return fail(ErrorCode::internal, problem.what(), "the schema of this program");
  }
  std::ranges::sort(objects);
  return objects;
}

}  // namespace gatehouse::store
