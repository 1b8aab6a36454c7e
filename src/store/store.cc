// Control-plane state in SQLite, through SOCI. One connection, one mutex; blocking.
//
// Invariants
//   1. An event and the applied index change in one transaction: the tables are always the fold of
//      the state events below applied().
//   2. What an event says is checked before the first statement; a refused event changes nothing.
//   3. No SQL text is made from data: every value is bound.
//   4. The file, and with it SQLite's own files beside it, is readable by its owner only.
#include "store/store.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <mutex>

#include "base/descriptor.h"
#include "base/os.h"
#include "base/text.h"
#include "store/change.h"
#include "store/contents.h"
#include "store/schema.h"
#include "store/state.h"

namespace gatehouse::store {
namespace {

constexpr std::size_t max_sealed_bytes = 4u << 20;
constexpr std::size_t max_session_id_bytes = 256;
constexpr std::uint64_t max_index = std::numeric_limits<std::int64_t>::max() - 1;

ErrorCode code_of(const soci::soci_error& problem) {
  const auto* const sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&problem);
  switch (sqlite == nullptr ? 0 : sqlite->result() & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorCode::data_loss;
    case SQLITE_CONSTRAINT:
      return ErrorCode::already_exists;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return ErrorCode::resource_exhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::permission_denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::internal;
  }
}

// Creates the file for its owner alone, or takes the others' rights to an existing one away. An
// existing file is not opened: closing it would drop the locks of another connection in this
// process.
Result<void> secure_file(const std::filesystem::path& file) {
  const int created = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (created >= 0) {
    Descriptor descriptor(created);
    return {};
  }
  if (errno != EEXIST) return std::unexpected(os_error(errno, "create"));
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::unexpected(os_error(errno, "examine"));
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalid_argument, "not a regular file");
  if ((status.st_mode & 077) != 0 && ::chmod(file.c_str(), 0600) != 0)
    return std::unexpected(os_error(errno, "take the others' rights away from"));
  return {};
}

// SOCI takes "key=value" pairs; a quoted value may contain anything but a quote.
Result<std::string> connection_text(const std::filesystem::path& file,
                                    std::chrono::seconds patience) {
  const std::string path = file.string();
  if (path.find('"') != std::string::npos)
    return fail(ErrorCode::invalid_argument, "the path must not contain a quotation mark");
  return "dbname=\"" + path + "\" timeout=" + std::to_string(patience.count());
}

KeyRecord key_from(const soci::row& row) {
  KeyRecord key;
  key.id = row.get<std::string>(0);
  key.prefix = row.get<std::string>(1);
  key.hash = row.get<std::string>(2);
  key.principal_kind = row.get<std::string>(3);
  key.principal_id = row.get<std::string>(4);
  key.created = row.get<std::string>(6);
  key.expires = row.get<std::string>(7);
  key.revoked = row.get<std::string>(8);
  return key;
}

}  // namespace

struct Store::Impl {
  mutable std::mutex mutex;
  mutable soci::session sql;
  std::string file;

  // Runs one piece of database work; what the library throws becomes an Error naming the file.
  template <class Work>
  auto run(const Work& work) const -> decltype(work()) {
    const std::lock_guard lock(mutex);
    try {
      return work();
    } catch (const soci::soci_error& problem) {
      return fail(code_of(problem), problem.what(), file);
    } catch (const std::exception& problem) {
      return fail(ErrorCode::internal, problem.what(), file);
    }
  }

  std::uint64_t applied() const {
    long long next = 0;
    sql << "SELECT next_index FROM applied", soci::into(next);
    return static_cast<std::uint64_t>(next);
  }

  void set_applied(std::uint64_t next) {
    const auto value = static_cast<long long>(next);
    sql << "UPDATE applied SET next_index = :next", soci::use(value);
  }

  void set_seal(const std::string& seal) { sql << "UPDATE seal SET seal = :seal", soci::use(seal); }

  void insert(const KeyRecord& key);
  void insert(const ModelRecord& model);
  void insert(const Record& record);
  void insert(const ToolRecord& tool);

  Result<void> change(const KeyCreated& created);
  Result<void> change(const KeyRevoked& revoked);
  Result<void> change(const ModelAdded& added);
  Result<void> change(const ModelRemoved& removed);
  Result<void> change(const RecordPut& put);
  Result<void> change(const RecordRemoved& removed);
  Result<void> change(const ToolReviewed& reviewed);
  Result<void> change(const ToolChanged& changed);
  Result<void> change(const ToolWithdrawn& withdrawn);
  static Result<void> change(const Unrelated& /*event*/) { return {}; }
};

void Store::Impl::insert(const KeyRecord& key) {
  const std::string attributes = attributes_json(key);
  sql << "INSERT INTO api_keys (id, prefix, hash, principal_kind, principal_id, attributes, "
         "created, expires, revoked) VALUES (:id, :prefix, :hash, :kind, :principal, :attributes, "
         ":created, :expires, :revoked)",
      soci::use(key.id), soci::use(key.prefix), soci::use(key.hash), soci::use(key.principal_kind),
      soci::use(key.principal_id), soci::use(attributes), soci::use(key.created),
      soci::use(key.expires), soci::use(key.revoked);
}

void Store::Impl::insert(const ModelRecord& model) {
  sql << "INSERT INTO models (name, provider, upstream_name, trust, created, removed, clearance) "
         "VALUES (:name, :provider, :upstream, :trust, :created, :removed, :clearance)",
      soci::use(model.name), soci::use(model.provider), soci::use(model.upstream_name),
      soci::use(model.trust), soci::use(model.created), soci::use(model.removed),
      soci::use(model.clearance);
}

void Store::Impl::insert(const ToolRecord& tool) {
  const std::string key = tool.key();
  sql << "INSERT INTO mcp_tools (id, server, tool, digest, reviewed, reviewer, changed) "
         "VALUES (:id, :server, :tool, :digest, :reviewed, :reviewer, :changed)",
      soci::use(key), soci::use(tool.server), soci::use(tool.tool), soci::use(tool.digest),
      soci::use(tool.reviewed), soci::use(tool.reviewer), soci::use(tool.changed);
}

Result<void> Store::Impl::change(const KeyCreated& created) {
  insert(created.key);
  return {};
}

Result<void> Store::Impl::change(const KeyRevoked& revoked) {
  int known = 0;
  sql << "SELECT COUNT(*) FROM api_keys WHERE id = :id", soci::use(revoked.id), soci::into(known);
  if (known == 0) return fail(ErrorCode::not_found, "no key has the id '" + revoked.id + "'");
  sql << "UPDATE api_keys SET revoked = :time WHERE id = :id AND revoked = ''",
      soci::use(revoked.time), soci::use(revoked.id);
  return {};
}

Result<void> Store::Impl::change(const ModelAdded& added) {
  const ModelRecord& model = added.model;
  int in_service = 0;
  sql << "SELECT COUNT(*) FROM models WHERE name = :name AND removed = ''", soci::use(model.name),
      soci::into(in_service);
  if (in_service != 0)
    return fail(ErrorCode::already_exists, "the model '" + model.name + "' is already in service");
  // A removed model of the same name makes room; the ledger remembers it.
  sql << "DELETE FROM models WHERE name = :name", soci::use(model.name);
  insert(model);
  return {};
}

Result<void> Store::Impl::change(const ModelRemoved& removed) {
  int in_service = 0;
  sql << "SELECT COUNT(*) FROM models WHERE name = :name AND removed = ''", soci::use(removed.name),
      soci::into(in_service);
  if (in_service == 0)
    return fail(ErrorCode::not_found, "no model '" + removed.name + "' is in service");
  sql << "UPDATE models SET removed = :time WHERE name = :name AND removed = ''",
      soci::use(removed.time), soci::use(removed.name);
  return {};
}

void Store::Impl::insert(const Record& record) {
  sql << "INSERT INTO records (name, data) VALUES (:name, :data)", soci::use(record.name),
      soci::use(record.data);
}

Result<void> Store::Impl::change(const RecordPut& put) {
  sql << "DELETE FROM records WHERE name = :name", soci::use(put.record.name);
  insert(put.record);
  return {};
}

Result<void> Store::Impl::change(const RecordRemoved& removed) {
  int known = 0;
  sql << "SELECT COUNT(*) FROM records WHERE name = :name", soci::use(removed.name),
      soci::into(known);
  if (known == 0) return fail(ErrorCode::not_found, "there is no '" + removed.name + "'");
  sql << "DELETE FROM records WHERE name = :name", soci::use(removed.name);
  return {};
}

Result<void> Store::Impl::change(const ToolReviewed& reviewed) {
  const std::string key = reviewed.tool.key();
  sql << "DELETE FROM mcp_tools WHERE id = :id", soci::use(key);
  insert(reviewed.tool);
  return {};
}

Result<void> Store::Impl::change(const ToolChanged& changed) {
  int known = 0;
  sql << "SELECT COUNT(*) FROM mcp_tools WHERE id = :id", soci::use(changed.key), soci::into(known);
  if (known == 0)
    return fail(ErrorCode::not_found, "the tool '" + changed.key + "' was never reviewed");
  sql << "UPDATE mcp_tools SET changed = :digest WHERE id = :id", soci::use(changed.digest),
      soci::use(changed.key);
  return {};
}

Result<void> Store::Impl::change(const ToolWithdrawn& withdrawn) {
  int known = 0;
  sql << "SELECT COUNT(*) FROM mcp_tools WHERE id = :id", soci::use(withdrawn.key),
      soci::into(known);
  if (known == 0)
    return fail(ErrorCode::not_found, "the tool '" + withdrawn.key + "' was never reviewed");
  sql << "DELETE FROM mcp_tools WHERE id = :id", soci::use(withdrawn.key);
  return {};
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file,
                                           std::chrono::seconds patience) {
  if (auto secured = secure_file(file); !secured)
    return std::unexpected(std::move(secured).error().within(file.string()));
  auto impl = std::make_unique<Impl>();
  impl->file = file.string();
  Result<std::string> connection = connection_text(file, patience);
  if (!connection) return std::unexpected(std::move(connection).error().within(file.string()));

  Impl& database = *impl;
  Result<void> opened = database.run([&]() -> Result<void> {
    database.sql.open(soci::sqlite3, *connection);
    return prepare_schema(database.sql);
  });
  if (!opened && opened.error().code == ErrorCode::data_loss)
    opened.error().message = "not a database, or a damaged one (" + opened.error().message + ")";
  if (!opened && opened.error().context.empty()) opened.error().context = impl->file;
  GH_TRY(std::move(opened));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<void> Store::apply(std::uint64_t index, std::string_view type, std::string_view data_json,
                          std::string_view seal) {
  if (index > max_index)
    return fail(ErrorCode::invalid_argument, "the index is larger than a database can hold");
  GH_ASSIGN(const Change change, parse_change(type, data_json));
  Impl& database = *impl_;
  const std::string sealed(seal);
  return database.run([&]() -> Result<void> {
    Transaction transaction(database.sql);
    if (index < database.applied()) return {};
    GH_TRY(std::visit([&database](const auto& what) { return database.change(what); }, change));
    database.set_applied(index + 1);
    database.set_seal(sealed);
    transaction.commit();
    return {};
  });
}

Result<void> Store::replace(const State& state, std::string_view seal) {
  if (state.next_index() > max_index)
    return fail(ErrorCode::invalid_argument, "the index is larger than a database can hold");
  Impl& database = *impl_;
  const std::string sealed(seal);
  return database.run([&]() -> Result<void> {
    Transaction transaction(database.sql);
    database.sql << "DELETE FROM api_keys";
    database.sql << "DELETE FROM models";
    database.sql << "DELETE FROM records";
    database.sql << "DELETE FROM mcp_tools";
    for (const auto& [id, key] : state.all_keys()) database.insert(key);
    for (const auto& [name, model] : state.all_models()) database.insert(model);
    for (const auto& [name, data] : state.records()) database.insert(Record{name, data});
    for (const auto& [id, tool] : state.all_tools()) database.insert(tool);
    database.set_applied(state.next_index());
    database.set_seal(sealed);
    transaction.commit();
    return {};
  });
}

Result<Contents> Store::contents() const {
  return read_contents(impl_->file);
}

Result<std::uint64_t> Store::applied() const {
  const Impl& database = *impl_;
  return database.run([&]() -> Result<std::uint64_t> { return database.applied(); });
}

Result<std::vector<KeyRecord>> Store::keys() const {
  const Impl& database = *impl_;
  return database.run([&]() -> Result<std::vector<KeyRecord>> {
    const soci::rowset<soci::row> rows =
        (database.sql.prepare
         << "SELECT id, prefix, hash, principal_kind, principal_id, attributes, created, expires, "
            "revoked FROM api_keys ORDER BY created, id");
    std::vector<KeyRecord> keys;
    for (const soci::row& row : rows) {
      KeyRecord key = key_from(row);
      GH_ASSIGN(key.attributes, parse_attributes(row.get<std::string>(5)));
      keys.push_back(std::move(key));
    }
    return keys;
  });
}

Result<std::vector<ModelRecord>> Store::models() const {
  const Impl& database = *impl_;
  return database.run([&]() -> Result<std::vector<ModelRecord>> {
    const soci::rowset<soci::row> rows =
        (database.sql.prepare << "SELECT name, provider, upstream_name, trust, created, "
                                 "clearance FROM models WHERE removed = '' ORDER BY name");
    std::vector<ModelRecord> models;
    for (const soci::row& row : rows)
      models.push_back({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2),
                        row.get<std::string>(3), row.get<std::string>(4), "",
                        row.get<std::string>(5)});
    return models;
  });
}

// Sealed bytes are kept as base64 text: SOCI's blobs differ between engines, text does not.
Result<std::optional<std::string>> Store::session(std::string_view id) const {
  const Impl& database = *impl_;
  const std::string key(id);
  return database.run([&]() -> Result<std::optional<std::string>> {
    std::string encoded;
    database.sql << "SELECT sealed FROM sessions WHERE id = :id", soci::use(key),
        soci::into(encoded);
    if (!database.sql.got_data()) return std::nullopt;
    GH_ASSIGN(std::string sealed, from_base64(encoded));
    return sealed;
  });
}

Result<void> Store::put_session(std::string_view id, std::string_view sealed, WallTime expires) {
  if (id.empty() || id.size() > max_session_id_bytes || sealed.size() > max_sealed_bytes)
    return fail(ErrorCode::resource_exhausted,
                "a session needs an id of 1 to 256 bytes and at most 4 MiB of content");
  Impl& database = *impl_;
  const std::string key(id);
  const std::string encoded = to_base64(bytes_of(sealed));
  const long long expiry = expires.time_since_epoch().count();
  return database.run([&]() -> Result<void> {
    database.sql << "INSERT INTO sessions (id, sealed, expires) VALUES (:id, :sealed, :expires) "
                    "ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, "
                    "expires = excluded.expires",
        soci::use(key), soci::use(encoded), soci::use(expiry);
    return {};
  });
}

Result<std::size_t> Store::drop_expired_sessions(WallTime now) {
  Impl& database = *impl_;
  const long long moment = now.time_since_epoch().count();
  return database.run([&]() -> Result<std::size_t> {
    soci::statement drop =
        (database.sql.prepare << "DELETE FROM sessions WHERE expires <= :now", soci::use(moment));
    drop.execute(true);
    return static_cast<std::size_t>(drop.get_affected_rows());
  });
}

Result<std::size_t> Store::copy_sessions_from(const std::filesystem::path& file) {
  Impl& database = *impl_;
  GH_ASSIGN(const std::string connection, connection_text(file, std::chrono::seconds(5)));
  return database.run([&]() -> Result<std::size_t> {
    soci::session other(soci::sqlite3, connection);
    other << "PRAGMA trusted_schema = OFF";
    const soci::rowset<soci::row> rows =
        (other.prepare << "SELECT id, sealed, CAST(expires AS TEXT) FROM sessions");
    Transaction transaction(database.sql);
    std::size_t copied = 0;
    for (const soci::row& row : rows) {
      const auto id = row.get<std::string>(0);
      const auto sealed = row.get<std::string>(1);
      const auto expires = parse_uint(row.get<std::string>(2));
      if (!expires || id.size() > max_session_id_bytes || sealed.size() > 2 * max_sealed_bytes)
        continue;  // not one of ours
      const auto moment = static_cast<long long>(*expires);
      database.sql << "INSERT INTO sessions (id, sealed, expires) VALUES (:id, :sealed, :expires)",
          soci::use(id), soci::use(sealed), soci::use(moment);
      ++copied;
    }
    transaction.commit();
    return copied;
  });
}

}  // namespace gatehouse::store
