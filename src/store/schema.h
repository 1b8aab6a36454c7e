// The tables and how a database of an earlier program becomes one of this program. Inside of
// store/; called with the store's connection, before anybody else has it.
#pragma once

#include <soci/session.h>

#include "base/result.h"

namespace gatehouse::store {

// A write transaction. Rolled back when dropped without commit(). SQLite's plain BEGIN takes the
// write lock late and may then fail at once instead of waiting; IMMEDIATE takes it first.
class Transaction {
 public:
  explicit Transaction(soci::session& sql) : sql_(sql) { sql_ << "BEGIN IMMEDIATE"; }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit() {
    sql_ << "COMMIT";
    open_ = false;
  }

 private:
  soci::session& sql_;
  bool open_ = true;
};

// Sets the connection up (WAL, synchronous FULL) and brings the schema to this program's version.
// Refused: a database of something else, and one of a newer program. May throw soci_error.
Result<void> prepare_schema(soci::session& sql);

// The version prepare_schema() brings a database to.
int newest_schema();

// The tables of `version` in an empty database. May throw soci_error.
void make_schema(soci::session& sql, int version);

}  // namespace gatehouse::store
