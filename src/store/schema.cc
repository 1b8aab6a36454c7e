// Migrations are a list: entry i brings a database from version i to i + 1. An entry never changes
// once released; a new schema is a new entry.
#include "store/schema.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"

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
  };
  return list;
}

int newest_version() {
  return static_cast<int>(migrations().size());
}

int count_tables(soci::session& sql, const std::string& name_or_any) {
  int count = 0;
  sql << "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND (:any = '' OR name = :name)",
      soci::use(name_or_any), soci::use(name_or_any), soci::into(count);
  return count;
}

Result<int> read_version(soci::session& sql) {
  if (count_tables(sql, "schema_version") == 0) {
    if (count_tables(sql, "") != 0)
      return fail(ErrorCode::failed_precondition,
                  "a database of another program; Gatehouse needs a file of its own");
    sql << "CREATE TABLE schema_version (version INTEGER NOT NULL)";
    sql << "INSERT INTO schema_version (version) VALUES (0)";
  }
  int version = 0;
  sql << "SELECT version FROM schema_version", soci::into(version);
  if (version > newest_version())
    return fail(ErrorCode::failed_precondition,
                "written by a newer Gatehouse (schema " + std::to_string(version) +
                    "; this program knows up to " + std::to_string(newest_version()) + ")");
  return version;
}

void migrate_from(soci::session& sql, int version) {
  for (; version < newest_version(); ++version)
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
  if (version == newest_version()) return {};
  migrate_from(sql, version);
  transaction.commit();
  return {};
}

}  // namespace gatehouse::store
