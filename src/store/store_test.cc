// The fold: what each event does to the state, what is refused, and that nothing moves then. Also
// the file: who may read it, what else it may be, and what survives closing and two openers.
#include "store/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

namespace gatehouse::store {
namespace {

using Json = nlohmann::json;

std::string uuid(int number) {
  std::string digits = std::to_string(number);
  return "01900000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

std::string hash_of(int number) {
  std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), '0') + digits;
}

Json key_created(int number) {
  return {{"id", uuid(number)},
          {"prefix", "gh_" + std::to_string(number)},
          {"hash", hash_of(number)},
          {"principal_kind", "user"},
          {"principal_id", "ada"},
          {"attributes", {{"team", "research"}, {"clearance", "high"}}},
          {"created", "2026-11-23T10:00:00.000000Z"},
          {"expires", ""}};
}

Json key_revoked(int number) {
  return {{"id", uuid(number)}, {"revoked", "2026-11-24T10:00:00.000000Z"}};
}

Json model_added(const std::string& name) {
  return {{"name", name},
          {"provider", "simulator"},
          {"upstream_name", "sim-" + name},
          {"trust", "internal"},
          {"created", "2026-11-23T10:00:00.000000Z"}};
}

Json model_removed(const std::string& name) {
  return {{"name", name}, {"removed", "2026-11-24T10:00:00.000000Z"}};
}

WallTime at_second(std::int64_t second) {
  return WallTime(std::chrono::seconds(second));
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    SystemRandom random;
    folder_ = std::filesystem::temp_directory_path() /
              ("store test=" + make_uuid7(SystemClock(), random));
    std::filesystem::create_directory(folder_);
    file_ = folder_ / "state.db";
    reopen();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void reopen() {
    store_.reset();
    auto opened = Store::open(file_);
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
  }
  Result<void> apply(std::uint64_t index, const char* type, const Json& data) {
    return store_->apply(index, type, data.dump());
  }
  std::string open_failure(const std::filesystem::path& file) {
    const auto opened = Store::open(file);
    return opened ? "opened" : opened.error().describe();
  }
  // Runs SQL on the closed database, as another program would.
  void tamper(const std::string& statements) {
    store_.reset();
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, a_new_store_is_empty) {
  EXPECT_EQ(store_->applied(), 0u);
  EXPECT_TRUE(store_->keys()->empty());
  EXPECT_TRUE(store_->models()->empty());
}

TEST_F(StoreTest, a_created_key_has_every_field) {
  Json data = key_created(1);
  data["expires"] = "2027-01-01T00:00:00.000000Z";
  ASSERT_TRUE(apply(4, "key.created", data));
  EXPECT_EQ(store_->applied(), 5u);
  const auto keys = *store_->keys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].id, uuid(1));
  EXPECT_EQ(keys[0].prefix, "gh_1");
  EXPECT_EQ(keys[0].hash, hash_of(1));
  EXPECT_EQ(keys[0].principal_kind, "user");
  EXPECT_EQ(keys[0].principal_id, "ada");
  const std::vector<std::pair<std::string, std::string>> sorted = {{"clearance", "high"},
                                                                   {"team", "research"}};
  EXPECT_EQ(keys[0].attributes, sorted);
  EXPECT_EQ(keys[0].created, "2026-11-23T10:00:00.000000Z");
  EXPECT_EQ(keys[0].expires, "2027-01-01T00:00:00.000000Z");
  EXPECT_EQ(keys[0].revoked, "");
}

TEST_F(StoreTest, a_revoked_key_stays_listed_with_its_first_time) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  ASSERT_TRUE(apply(1, "key.revoked", key_revoked(1)));
  Json later = key_revoked(1);
  later["revoked"] = "2030-01-01T00:00:00.000000Z";
  ASSERT_TRUE(apply(2, "key.revoked", later));
  EXPECT_EQ(store_->keys()->at(0).revoked, "2026-11-24T10:00:00.000000Z");
}

TEST_F(StoreTest, keys_come_in_the_order_of_creation) {
  for (const auto& [number, day] : std::map<int, std::string>{{1, "25"}, {2, "23"}, {3, "24"}}) {
    Json data = key_created(number);
    data["created"] = "2026-11-" + day + "T00:00:00.000000Z";
    ASSERT_TRUE(apply(static_cast<std::uint64_t>(number), "key.created", data));
  }
  std::string order;
  for (const KeyRecord& key : *store_->keys()) order += key.prefix.back();
  EXPECT_EQ(order, "231");
}

TEST_F(StoreTest, models_come_by_name_without_removed_ones) {
  ASSERT_TRUE(apply(0, "model.added", model_added("b")));
  ASSERT_TRUE(apply(1, "model.added", model_added("a")));
  ASSERT_TRUE(apply(2, "model.added", model_added("c")));
  ASSERT_TRUE(apply(3, "model.removed", model_removed("b")));
  const auto models = *store_->models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "a");
  EXPECT_EQ(models[0].provider, "simulator");
  EXPECT_EQ(models[0].upstream_name, "sim-a");
  EXPECT_EQ(models[0].trust, "internal");
  EXPECT_EQ(models[0].created, "2026-11-23T10:00:00.000000Z");
  EXPECT_EQ(models[1].name, "c");
}

TEST_F(StoreTest, a_removed_model_can_come_back) {
  ASSERT_TRUE(apply(0, "model.added", model_added("a")));
  ASSERT_TRUE(apply(1, "model.removed", model_removed("a")));
  Json again = model_added("a");
  again["provider"] = "another";
  ASSERT_TRUE(apply(2, "model.added", again));
  EXPECT_EQ(store_->models()->at(0).provider, "another");
}

TEST_F(StoreTest, an_event_that_was_applied_is_skipped) {
  ASSERT_TRUE(apply(7, "model.added", model_added("a")));
  for (const std::uint64_t index : {7u, 6u, 0u})
    EXPECT_TRUE(apply(index, "model.added", model_added("x" + std::to_string(index))));
  EXPECT_EQ(store_->applied(), 8u);
  EXPECT_EQ(store_->models()->size(), 1u);
}

TEST_F(StoreTest, an_event_of_another_type_only_moves_the_index) {
  ASSERT_TRUE(store_->apply(3, "request.decided", "not even JSON"));
  EXPECT_EQ(store_->applied(), 4u);
  EXPECT_TRUE(store_->keys()->empty());
}

TEST_F(StoreTest, a_malformed_event_is_refused_and_moves_nothing) {
  const auto without = [](Json data, const char* member) {
    data.erase(member);
    return data;
  };
  const auto with = [](Json data, const char* member, const Json& value) {
    data[member] = value;
    return data;
  };
  const std::vector<std::pair<const char*, Json>> wrong = {
      {"key.created", Json::array()},
      {"key.created", without(key_created(1), "id")},
      {"key.created", without(key_created(1), "attributes")},
      {"key.created", without(key_created(1), "expires")},
      {"key.created", with(key_created(1), "id", "1")},
      {"key.created", with(key_created(1), "hash", "abc")},
      {"key.created", with(key_created(1), "principal_kind", "robot")},
      {"key.created", with(key_created(1), "principal_id", "")},
      {"key.created", with(key_created(1), "principal_id", std::string(1025, 'x'))},
      {"key.created", with(key_created(1), "attributes", {{"team", 1}})},
      {"key.created", with(key_created(1), "created", "yesterday")},
      {"key.created", with(key_created(1), "expires", "never")},
      {"key.revoked", with(key_revoked(1), "revoked", "")},
      {"model.added", with(model_added("a"), "trust", "some")},
      {"model.added", with(model_added("a"), "name", 7)},
      {"model.added", with(model_added("a"), "upstream_name", "")},
      {"model.removed", without(model_removed("a"), "name")},
  };
  for (const auto& [type, data] : wrong) {
    const auto applied = apply(5, type, data);
    ASSERT_FALSE(applied) << type << ' ' << data;
    EXPECT_EQ(applied.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(applied.error().context, std::string("event ") + type);
  }
  EXPECT_FALSE(store_->apply(5, "key.created", "{"));
  EXPECT_FALSE(store_->apply(5, "key.created", std::string(70'000, ' ')));
  EXPECT_EQ(store_->applied(), 0u);
  EXPECT_TRUE(store_->keys()->empty());
  EXPECT_TRUE(store_->models()->empty());
}

TEST_F(StoreTest, an_event_that_contradicts_the_state_moves_nothing) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  ASSERT_TRUE(apply(1, "model.added", model_added("a")));
  const auto code = [this](const char* type, const Json& data) {
    const auto applied = apply(9, type, data);
    EXPECT_FALSE(applied);
    return applied ? ErrorCode::internal : applied.error().code;
  };
  Json same_prefix = key_created(2);
  same_prefix["prefix"] = "gh_1";
  EXPECT_EQ(code("key.created", key_created(1)), ErrorCode::already_exists);
  EXPECT_EQ(code("key.created", same_prefix), ErrorCode::already_exists);
  EXPECT_EQ(code("key.revoked", key_revoked(2)), ErrorCode::not_found);
  EXPECT_EQ(code("model.added", model_added("a")), ErrorCode::already_exists);
  EXPECT_EQ(code("model.removed", model_removed("b")), ErrorCode::not_found);
  EXPECT_EQ(store_->applied(), 2u);
  EXPECT_EQ(store_->keys()->size(), 1u);
  ASSERT_TRUE(apply(2, "model.added", model_added("b"))) << "the store must go on after a refusal";
}

TEST_F(StoreTest, an_index_no_database_can_hold_is_refused) {
  EXPECT_FALSE(store_->apply(std::numeric_limits<std::uint64_t>::max(), "other", ""));
  EXPECT_EQ(store_->applied(), 0u);
}

TEST_F(StoreTest, values_are_bound_not_pasted) {
  const std::string hostile = "a'); DROP TABLE models; -- :name ? $1 \" \\";
  ASSERT_TRUE(apply(0, "model.added", model_added(hostile)));
  ASSERT_TRUE(apply(1, "model.added", model_added("plain")));
  EXPECT_EQ(store_->models()->at(0).name, hostile);
  ASSERT_TRUE(apply(2, "model.removed", model_removed(hostile)));
  EXPECT_EQ(store_->models()->size(), 1u);
}

TEST_F(StoreTest, everything_is_there_after_reopening) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  ASSERT_TRUE(store_->put_session("id", "sealed", at_second(10)));
  reopen();
  EXPECT_EQ(store_->applied(), 1u);
  EXPECT_EQ(store_->keys()->size(), 1u);
  EXPECT_EQ(store_->session("id").value(), "sealed");
}

TEST_F(StoreTest, a_second_connection_sees_what_the_first_wrote) {
  const auto other = *Store::open(file_);
  ASSERT_TRUE(apply(0, "model.added", model_added("a")));
  EXPECT_EQ(other->models()->size(), 1u);
  EXPECT_EQ(other->applied(), 1u);
  ASSERT_TRUE(other->apply(1, "model.added", model_added("b").dump()));
  EXPECT_EQ(store_->models()->size(), 2u);
}

TEST_F(StoreTest, many_may_open_a_new_database_at_once) {
  const std::filesystem::path fresh = folder_ / "fresh.db";
  std::vector<std::jthread> threads;
  std::atomic<int> opened = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      const auto mine = Store::open(fresh);
      EXPECT_TRUE(mine) << mine.error().describe();
      if (mine) ++opened;
    });
  threads.clear();
  EXPECT_EQ(opened, 8);
}

TEST_F(StoreTest, threads_may_share_one_store) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([this, t] {
        for (int i = 0; i < 20; ++i) {
          const std::string id = std::to_string(t) + "." + std::to_string(i);
          EXPECT_TRUE(store_->put_session(id, id, at_second(i)));
          EXPECT_EQ(store_->session(id).value(), id);
          EXPECT_TRUE(store_->keys());
        }
      });
  }
  EXPECT_EQ(store_->drop_expired_sessions(at_second(100)), 80u);
}

TEST_F(StoreTest, sessions_hold_any_bytes) {
  const std::string sealed("\0\xff'\n\x80", 5);
  EXPECT_EQ(store_->session("absent").value(), std::nullopt);
  ASSERT_TRUE(store_->put_session("id", sealed, at_second(10)));
  EXPECT_EQ(store_->session("id").value(), sealed);
  ASSERT_TRUE(store_->put_session("id", "new", at_second(20)));
  EXPECT_EQ(store_->session("id").value(), "new");
  ASSERT_TRUE(store_->put_session("id", "", at_second(20)));
  EXPECT_EQ(store_->session("id").value(), "");
}

TEST_F(StoreTest, sessions_are_dropped_when_their_time_has_come) {
  ASSERT_TRUE(store_->put_session("a", "x", at_second(10)));
  ASSERT_TRUE(store_->put_session("b", "x", at_second(20)));
  EXPECT_EQ(store_->drop_expired_sessions(at_second(9)), 0u);
  EXPECT_EQ(store_->drop_expired_sessions(at_second(10)), 1u);
  EXPECT_EQ(store_->session("a").value(), std::nullopt);
  EXPECT_EQ(store_->session("b").value(), "x");
}

TEST_F(StoreTest, sessions_are_bounded) {
  EXPECT_FALSE(store_->put_session("", "x", at_second(1)));
  EXPECT_FALSE(store_->put_session(std::string(257, 'i'), "x", at_second(1)));
  EXPECT_FALSE(store_->put_session("id", std::string((4u << 20) + 1, 'x'), at_second(1)));
}

TEST_F(StoreTest, sessions_are_no_state) {
  ASSERT_TRUE(store_->put_session("a", "x", at_second(10)));
  EXPECT_EQ(store_->applied(), 0u);
}

TEST_F(StoreTest, only_the_owner_can_read_the_files) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2) << "the database and its log";
}

TEST_F(StoreTest, rights_of_others_are_taken_away) {
  store_.reset();
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  reopen();
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(StoreTest, a_file_that_is_no_database_is_refused) {
  const auto other = folder_ / "notes.txt";
  ASSERT_TRUE(write_file_atomically(other, std::string(5000, 'x')));
  EXPECT_TRUE(open_failure(other).starts_with(other.string() + ": not a database"));
  EXPECT_EQ(Store::open(other).error().code, ErrorCode::data_loss);
  EXPECT_EQ(read_file(other), std::string(5000, 'x')) << "and it is left as it was";
}

TEST_F(StoreTest, a_newer_schema_is_refused) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  tamper("UPDATE schema_version SET version = 99");
  EXPECT_EQ(open_failure(file_), file_.string() +
                                     ": written by a newer Gatehouse (schema 99; this program "
                                     "knows up to 5)");
  tamper("UPDATE schema_version SET version = 5");
  reopen();
  EXPECT_EQ(store_->keys()->size(), 1u);
}

TEST_F(StoreTest, a_database_of_the_first_version_gets_what_it_lacks) {
  ASSERT_TRUE(apply(0, "key.created", key_created(1)));
  tamper(
      "DROP TABLE seal; DROP TABLE records; DROP TABLE mcp_tools; ALTER TABLE models DROP COLUMN "
      "clearance; "
      "UPDATE schema_version SET version = 1");
  reopen();
  EXPECT_EQ(store_->keys()->size(), 1u);
  ASSERT_TRUE(store_->apply(1, "seen", "", "a seal"));
}

TEST_F(StoreTest, a_database_of_another_program_is_refused) {
  tamper("DROP TABLE schema_version");
  EXPECT_EQ(open_failure(file_),
            file_.string() + ": a database of another program; Gatehouse needs a file of its own");
}

TEST_F(StoreTest, a_place_that_cannot_hold_a_file_is_named) {
  EXPECT_EQ(open_failure(folder_ / "no" / "state.db"),
            (folder_ / "no" / "state.db").string() + ": cannot create: No such file or directory");
  EXPECT_EQ(open_failure(folder_), folder_.string() + ": not a regular file");
  EXPECT_FALSE(Store::open(folder_ / "a\"b"));
}

// The same events give the same state whatever part of them was applied before a restart. Few
// rounds, because each syncs the disk some fifty times.
TEST_F(StoreTest, replaying_any_part_again_gives_the_same_state) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 engine(seed);
    const auto below = [&engine](std::size_t limit) { return engine() % limit; };
    std::vector<std::pair<const char*, Json>> events;
    std::set<std::string> in_service;
    while (events.size() < 10) {
      const std::string name(1, static_cast<char>('a' + below(3)));
      const bool add = in_service.insert(name).second;
      if (!add) in_service.erase(name);
      events.emplace_back(add ? "model.added" : "model.removed",
                          add ? model_added(name) : model_removed(name));
    }
    file_ = folder_ / (std::to_string(seed) + ".db");
    reopen();
    for (int crash = 0; crash < 3; ++crash) {
      const std::size_t first = below(store_->applied().value() + 1);
      const std::size_t last = crash == 2 ? events.size() : first + below(events.size() - first);
      for (std::size_t i = first; i < last; ++i)
        ASSERT_TRUE(apply(i, events[i].first, events[i].second)) << "seed " << seed;
      reopen();
    }
    std::set<std::string> names;
    const auto models = store_->models();
    for (const ModelRecord& model : *models) names.insert(model.name);
    EXPECT_EQ(names, in_service) << "seed " << seed;
    EXPECT_EQ(store_->applied(), events.size());
  }
}

}  // namespace
}  // namespace gatehouse::store
