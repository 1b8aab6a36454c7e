// The registry over the real ledger and the real store: what is recorded, what is refused, and that
// a crash between event and apply loses nothing.
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "identity/identity.h"

namespace gatehouse::identity {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    SystemRandom random;
    folder_ = std::filesystem::temp_directory_path() /
              ("registry_test." + make_uuid7(SystemClock(), random));
    std::filesystem::create_directory(folder_);
    start();
  }
  ~RegistryTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path ledger_folder() const { return folder_ / "ledger"; }

  void start() {
    ledger::Options options;
    options.directory = ledger_folder();
    options.origin = "example.org/log";
    auto opened = ledger::Ledger::open(
        options, crypto::SigningKey::from_seed(crypto::sha256(bytes_of("log key"))), clock_);
    ASSERT_TRUE(opened) << opened.error().describe();
    ledger_ = std::move(*opened);
    auto store = store::Store::open(folder_ / "state.db", 0s);
    ASSERT_TRUE(store) << store.error().describe();
    store_ = std::move(*store);
    registry_ = std::make_unique<Registry>(*ledger_, *store_, hash_key_, "gw-1", clock_, random_);
  }
  void stop() {
    registry_.reset();
    store_.reset();
    ledger_.reset();
  }
  void forget_the_state() {
    stop();
    for (const char* name : {"state.db", "state.db-wal", "state.db-shm"})
      std::filesystem::remove(folder_ / name);
    start();
  }
  // As another program would, beside the running one.
  void run_sql(const std::string& statement) const {
    soci::session sql(soci::sqlite3, "dbname=" + (folder_ / "state.db").string());
    sql << statement;
  }
  std::string hash_of(const std::string& key) const {
    return to_hex(crypto::hmac_sha256(Bytes(hash_key_), bytes_of(key)));
  }
  void restart() {
    stop();
    start();
    set_log_level(LogLevel::off);
    ASSERT_TRUE(registry_->catch_up(ledger_folder()));
  }
  std::uint64_t append(const std::string& entry) { return ledger_->append_and_wait(entry).value(); }
  std::uint64_t append_request() {
    return append(R"({"id":"x","time":"t","type":"request.decided","data":{"why":"key.created"}})");
  }
  std::vector<Json> events() {
    auto reader = ledger::EntryReader::open(ledger_folder());
    EXPECT_TRUE(reader);
    std::vector<Json> out;
    std::uint64_t index = 0;
    std::string entry;
    while (reader->next(index, entry).value()) out.push_back(Json::parse(entry));
    return out;
  }
  Result<Principal> authenticate(const std::string& key) {
    return KeyIndex::build(*registry_->list_keys(), hash_key_)->authenticate(key, clock_.wall());
  }
  CreatedKey make_key(const std::string& principal = "user:ada") {
    auto created = registry_->create_key({.principal = principal, .attributes = {}, .lifetime = {}},
                                         "cli:root");
    EXPECT_TRUE(created) << created.error().describe();
    return *created;
  }
  static NewModel model(const std::string& name) {
    return {.name = name, .provider = "sim", .upstream_name = "", .trust = "internal"};
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? ErrorCode::internal : result.error().code;
  }

  std::filesystem::path folder_;
  ManualClock clock_{parse_time("2026-11-23T12:00:00.000000Z").value()};
  SeededRandom random_{3};
  crypto::Digest hash_key_ = crypto::sha256(bytes_of("key-hash key"));
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Registry> registry_;
};

// Another program that has begun to write to the database, and does not end.
class OtherWriter {
 public:
  explicit OtherWriter(const std::filesystem::path& database)
      : sql_(soci::sqlite3, "dbname=" + database.string()) {
    sql_ << "BEGIN IMMEDIATE";
  }
  ~OtherWriter() { sql_ << "ROLLBACK"; }

 private:
  soci::session sql_;
};

TEST_F(RegistryTest, a_created_key_works_at_once) {
  const auto created = registry_->create_key({.principal = "agent:helper",
                                              .attributes = {{"team", "research"}, {"a", "b"}},
                                              .lifetime = 24h},
                                             "cli:root");
  ASSERT_TRUE(created) << created.error().describe();
  const auto who = authenticate(created->key);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->id, "helper");
  EXPECT_EQ(who->attributes.front().first, "a");
  EXPECT_EQ(created->record.expires, "2026-11-24T12:00:00.000000Z");
  clock_.advance(24h);
  EXPECT_FALSE(authenticate(created->key));
}

TEST_F(RegistryTest, the_event_says_what_was_done_and_by_whom_but_not_the_key) {
  const CreatedKey created = make_key();
  const auto all = events();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["type"], "key.created");
  EXPECT_EQ(all[0]["node"], "gw-1");
  EXPECT_EQ(all[0]["time"], "2026-11-23T12:00:00.000000Z");
  EXPECT_EQ(all[0]["actor"]["id"], "cli:root");
  EXPECT_EQ(all[0]["subject"]["id"], created.record.id);
  EXPECT_EQ(all[0]["subject"]["prefix"], created.record.prefix);
  EXPECT_EQ(all[0]["data"]["hash"], created.record.hash);
  EXPECT_TRUE(is_uuid(all[0]["id"].get<std::string>()));
  EXPECT_EQ(all[0].dump().find(created.key.substr(12)), std::string::npos);
}

TEST_F(RegistryTest, a_key_is_revoked_by_prefix_or_id_once) {
  const CreatedKey a = make_key();
  const CreatedKey b = make_key();
  clock_.advance(1h);
  const auto revoked = registry_->revoke_key(a.record.prefix, "cli:root");
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->revoked, "2026-11-23T13:00:00.000000Z");
  EXPECT_FALSE(authenticate(a.key));
  EXPECT_TRUE(authenticate(b.key));
  EXPECT_TRUE(registry_->revoke_key(b.record.id, "cli:root"));
  EXPECT_FALSE(authenticate(b.key));
  EXPECT_EQ(code(registry_->revoke_key(a.record.prefix, "cli:root")),
            ErrorCode::failed_precondition);
  EXPECT_EQ(code(registry_->revoke_key("gh_nothere", "cli:root")), ErrorCode::not_found);
  EXPECT_EQ(code(registry_->revoke_key("", "cli:root")), ErrorCode::not_found);
  EXPECT_EQ(registry_->list_keys()->size(), 2u);
}

TEST_F(RegistryTest, models_come_and_go) {
  const auto added = registry_->add_model(model("gpt"), "cli:root");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->upstream_name, "gpt");
  EXPECT_EQ(code(registry_->add_model(model("gpt"), "cli:root")), ErrorCode::already_exists);
  EXPECT_EQ(registry_->list_models()->size(), 1u);
  const auto removed = registry_->remove_model("gpt", "cli:root");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->removed, "2026-11-23T12:00:00.000000Z");
  EXPECT_TRUE(registry_->list_models()->empty());
  EXPECT_EQ(code(registry_->remove_model("gpt", "cli:root")), ErrorCode::not_found);
  EXPECT_TRUE(registry_->add_model(model("gpt"), "cli:root"));
  EXPECT_EQ(events().size(), 3u);
}

TEST_F(RegistryTest, what_is_refused_is_not_recorded) {
  const auto key = [this](NewKey request, const char* actor = "cli:root") {
    return code(registry_->create_key(request, actor));
  };
  EXPECT_EQ(key({"ada", {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:" + std::string(257, 'x'), {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:ada", {{"a-b", "c"}}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:ada", {}, 0s}), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:ada", {}, std::chrono::seconds::max()}), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:ada", {}, {}}, ""), ErrorCode::invalid_argument);
  EXPECT_EQ(key({"user:ada", {}, {}}, "a\nb"), ErrorCode::invalid_argument);
  const auto refused = [this](auto change) {
    NewModel request = model("m");
    change(request);
    return code(registry_->add_model(request, "cli:root")) == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refused([](NewModel& m) { m.name = ""; }));
  EXPECT_TRUE(refused([](NewModel& m) { m.name = std::string(257, 'x'); }));
  EXPECT_TRUE(refused([](NewModel& m) { m.provider = "\x01"; }));
  EXPECT_TRUE(refused([](NewModel& m) { m.upstream_name = " x"; }));
  EXPECT_TRUE(refused([](NewModel& m) { m.trust = "partly"; }));
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(store_->applied(), 0u);
}

TEST_F(RegistryTest, the_longest_names_fit) {
  const std::string longest(256, 'n');
  EXPECT_TRUE(registry_->add_model(
      {.name = longest, .provider = longest, .upstream_name = longest, .trust = "external"},
      longest));
  std::vector<std::pair<std::string, std::string>> attributes;
  for (int i = 0; i < 55; ++i)
    attributes.emplace_back("a" + std::to_string(i), std::string(1024, 'v'));
  EXPECT_TRUE(registry_->create_key({"user:" + longest, attributes, {}}, longest));
}

TEST_F(RegistryTest, a_request_too_long_for_one_entry_is_refused_whole) {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (int i = 0; i < 64; ++i)
    attributes.emplace_back("a" + std::to_string(i), std::string(1024, 'v'));
  EXPECT_EQ(code(registry_->create_key({"user:ada", attributes, {}}, "cli:root")),
            ErrorCode::resource_exhausted);
  EXPECT_TRUE(registry_->list_keys()->empty());
  EXPECT_TRUE(events().empty());
}

TEST_F(RegistryTest, the_state_can_be_rebuilt_from_the_ledger_alone) {
  const CreatedKey kept = make_key();
  const CreatedKey revoked = make_key("service:ci");
  ASSERT_TRUE(registry_->revoke_key(revoked.record.id, "cli:root"));
  ASSERT_TRUE(registry_->add_model(model("a"), "cli:root"));
  append_request();
  ASSERT_TRUE(registry_->add_model(model("b"), "cli:root"));
  ASSERT_TRUE(registry_->remove_model("a", "cli:root"));
  append_request();
  const auto keys = *registry_->list_keys();

  forget_the_state();
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 6u);
  const auto again = *registry_->list_keys();
  ASSERT_EQ(again.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(again[i].id, keys[i].id);
    EXPECT_EQ(again[i].hash, keys[i].hash);
    EXPECT_EQ(again[i].revoked, keys[i].revoked);
  }
  EXPECT_EQ(registry_->list_models()->at(0).name, "b");
  EXPECT_TRUE(authenticate(kept.key));
  EXPECT_FALSE(authenticate(revoked.key));
  EXPECT_EQ(store_->applied(), 8u);
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 0u);
}

TEST_F(RegistryTest, a_crash_between_event_and_apply_is_caught_up) {
  make_key();
  // The event of a model that the process did not live to apply.
  append(R"({"id":"x","time":"t","type":"model.added","data":{"name":"late","provider":"sim",)"
         R"("upstream_name":"late","trust":"internal","created":"2026-11-23T12:00:00.000000Z"}})");
  stop();
  start();
  EXPECT_TRUE(registry_->list_models()->empty());
  EXPECT_EQ(code(registry_->add_model(model("other"), "cli:root")), ErrorCode::failed_precondition)
      << "a later event must not jump over the one not applied";
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 1u);
  EXPECT_EQ(registry_->list_models()->at(0).name, "late");
  EXPECT_TRUE(registry_->add_model(model("other"), "cli:root"));
}

TEST_F(RegistryTest, requests_in_between_do_not_matter) {
  for (int i = 0; i < 5; ++i) append_request();
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 0u);
  EXPECT_EQ(store_->applied(), 5u);
  make_key();
  append_request();
  make_key();
  EXPECT_EQ(store_->applied(), 8u);
}

TEST_F(RegistryTest, what_was_seen_is_not_read_again) {
  make_key();
  append_request();
  EXPECT_EQ(store_->applied(), 1u);
  ASSERT_TRUE(registry_->mark_seen());
  EXPECT_EQ(store_->applied(), 2u);
  stop();
  start();
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 0u);
  EXPECT_EQ(registry_->list_keys()->size(), 1u);
}

TEST_F(RegistryTest, keeping_up_marks_when_enough_entries_came) {
  make_key();
  ASSERT_TRUE(registry_->keep_up(5));
  EXPECT_EQ(store_->applied(), 1u);
  for (int i = 0; i < 4; ++i) append_request();
  ASSERT_TRUE(registry_->keep_up(5));
  EXPECT_EQ(store_->applied(), 5u);
  append_request();
  ASSERT_TRUE(registry_->keep_up(5));
  EXPECT_EQ(store_->applied(), 5u);
}

TEST_F(RegistryTest, keeping_up_applies_what_waits_and_passes_nothing_over) {
  const CreatedKey created = make_key();
  {
    const OtherWriter other(folder_ / "state.db");
    ASSERT_TRUE(registry_->revoke_key(created.record.id, "cli:root"));
    for (int i = 0; i < 4; ++i) append_request();
    EXPECT_EQ(code(registry_->keep_up(1)), ErrorCode::unavailable);
    EXPECT_EQ(store_->applied(), 1u);
  }
  ASSERT_TRUE(registry_->keep_up(100));
  EXPECT_FALSE(store_->keys()->at(0).revoked.empty());
}

TEST_F(RegistryTest, nothing_is_marked_as_seen_before_it_was) {
  append_request();
  EXPECT_EQ(code(registry_->mark_seen()), ErrorCode::failed_precondition);
  EXPECT_EQ(store_->applied(), 0u);
}

TEST_F(RegistryTest, a_damaged_state_event_stops_the_start_and_is_named) {
  append_request();
  append(R"({"id":"x","time":"t","type":"key.created","data":{}})");
  const auto caught_up = registry_->catch_up(ledger_folder());
  ASSERT_FALSE(caught_up);
  EXPECT_EQ(caught_up.error().describe(), "entry 1: event key.created: 'id' must be text");
  append("not JSON but with model.added in it");
  EXPECT_FALSE(registry_->catch_up(ledger_folder()));
}

TEST_F(RegistryTest, a_withdrawn_tool_stays_withdrawn_until_it_is_reviewed) {
  ASSERT_TRUE(registry_->review_tool("docs", "search", "sha256:a", "first use", ""));
  const auto withdrawn = registry_->withdraw_tool("docs", "search", "cli:root");
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->changed, store::withdrawn_tool);
  EXPECT_FALSE(registry_->tool_changed("docs", "search", "sha256:b", "gateway", ""));
  stop();
  start();
  ASSERT_TRUE(registry_->catch_up(ledger_folder()));
  ASSERT_EQ(registry_->list_tools().size(), 1u);
  EXPECT_EQ(registry_->list_tools()[0].changed, store::withdrawn_tool);
  ASSERT_TRUE(registry_->review_tool("docs", "search", "sha256:a", "cli:root", ""));
  EXPECT_EQ(registry_->list_tools()[0].changed, "");
}

TEST_F(RegistryTest, a_database_of_another_ledger_is_noticed) {
  make_key();
  make_key();
  stop();
  std::filesystem::remove_all(ledger_folder());
  start();
  EXPECT_EQ(code(registry_->catch_up(ledger_folder())), ErrorCode::data_loss);
}

TEST_F(RegistryTest, changes_from_many_threads_are_one_after_the_other) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([this, t] {
        for (int i = 0; i < 5; ++i) {
          make_key("user:" + std::to_string(t));
          (void)registry_->add_model(model("m" + std::to_string(i)), "cli:root");
        }
      });
  }
  EXPECT_EQ(registry_->list_keys()->size(), 20u);
  EXPECT_EQ(registry_->list_models()->size(), 5u);
  EXPECT_EQ(events().size(), 25u) << "a model that exists is not recorded again";
  EXPECT_EQ(store_->applied(), 25u);
}

TEST_F(RegistryTest, a_revocation_is_in_force_while_the_database_cannot_be_written) {
  const CreatedKey a = make_key();
  const CreatedKey b = make_key();
  ASSERT_TRUE(registry_->add_model(model("m"), "cli:root"));
  {
    const OtherWriter other(folder_ / "state.db");
    const auto revoked = registry_->revoke_key(a.record.prefix, "cli:root");
    ASSERT_TRUE(revoked) << revoked.error().describe();
    EXPECT_FALSE(authenticate(a.key));
    EXPECT_TRUE(authenticate(b.key));
    append_request();
    EXPECT_TRUE(registry_->revoke_key(b.record.prefix, "cli:root")) << "the next one, too";
    EXPECT_FALSE(authenticate(b.key));
    EXPECT_EQ(code(registry_->revoke_key(a.record.prefix, "cli:root")),
              ErrorCode::failed_precondition)
        << "what waits counts as done";
    EXPECT_TRUE(registry_->remove_model("m", "cli:root"));
    EXPECT_TRUE(registry_->list_models()->empty());
    EXPECT_EQ(code(registry_->create_key({"user:eve", {}, {}}, "cli:root")),
              ErrorCode::unavailable);
    EXPECT_EQ(code(registry_->add_model(model("n"), "cli:root")), ErrorCode::unavailable);
    EXPECT_EQ(code(registry_->mark_seen()), ErrorCode::unavailable);
    EXPECT_EQ(store_->applied(), 3u);
  }
  EXPECT_EQ(events().size(), 7u) << "what was refused is not recorded";
  for (int i = 0; i < 3; ++i) append_request();
  EXPECT_TRUE(registry_->add_model(model("m"), "cli:root")) << "no restart is needed";
  EXPECT_EQ(store_->applied(), 11u);
  EXPECT_FALSE(store_->keys()->at(0).revoked.empty());
  EXPECT_FALSE(store_->keys()->at(1).revoked.empty());
}

TEST_F(RegistryTest, a_key_made_while_the_database_cannot_be_written_is_not_lost) {
  {
    const OtherWriter other(folder_ / "state.db");
    const CreatedKey created = make_key();
    EXPECT_TRUE(authenticate(created.key));
    EXPECT_EQ(store_->applied(), 0u);
  }
  ASSERT_TRUE(registry_->mark_seen());
  EXPECT_EQ(store_->keys()->size(), 1u);
}

TEST_F(RegistryTest, what_the_database_did_not_take_is_caught_up_at_the_next_start) {
  const CreatedKey created = make_key();
  {
    const OtherWriter other(folder_ / "state.db");
    ASSERT_TRUE(registry_->revoke_key(created.record.id, "cli:root"));
  }
  stop();
  start();
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 1u);
  EXPECT_FALSE(authenticate(created.key));
}

// Somebody writes the hash of a key of his own into a row: the most he can do without the ledger.
TEST_F(RegistryTest, a_key_that_no_event_made_is_not_honoured) {
  make_key();
  const std::string forged = "gh_AAAAAAAA_" + std::string(32, 'A');
  run_sql("INSERT INTO api_keys VALUES ('01900000-0000-7000-8000-000000000001', 'gh_AAAAAAAA', '" +
          hash_of(forged) + "', 'user', 'root', '{}', '2026-11-23T12:00:00.000000Z', '', '')");
  restart();
  EXPECT_FALSE(authenticate(forged));
  EXPECT_EQ(registry_->list_keys()->size(), 1u);
  ASSERT_EQ(registry_->differences().size(), 1u);
  EXPECT_EQ(registry_->differences()[0].kind, store::Difference::Kind::only_in_database);
  EXPECT_NE(registry_->differences()[0].row.find("gh_AAAAAAAA"), std::string::npos);
}

TEST_F(RegistryTest, a_revocation_cannot_be_taken_back_by_hand) {
  const CreatedKey created = make_key();
  ASSERT_TRUE(registry_->revoke_key(created.record.id, "cli:root"));
  ASSERT_TRUE(registry_->add_model(model("m"), "cli:root"));
  run_sql("UPDATE api_keys SET revoked = ''");
  run_sql("UPDATE models SET provider = 'evil'");
  restart();
  EXPECT_FALSE(authenticate(created.key));
  EXPECT_EQ(registry_->list_models()->at(0).provider, "sim");
  EXPECT_EQ(registry_->differences().size(), 2u);
}

TEST_F(RegistryTest, the_index_cannot_be_moved_past_an_event) {
  const CreatedKey created = make_key();
  ASSERT_TRUE(registry_->revoke_key(created.record.id, "cli:root"));
  run_sql("UPDATE api_keys SET revoked = ''");
  run_sql("UPDATE applied SET next_index = 1");
  restart();
  EXPECT_FALSE(authenticate(created.key)) << "as of entry 1 it is right, and entry 2 is folded on";
  EXPECT_TRUE(registry_->differences().empty());
  run_sql("UPDATE api_keys SET revoked = ''");
  restart();
  EXPECT_FALSE(authenticate(created.key));
  EXPECT_EQ(registry_->differences().size(), 1u);
}

TEST_F(RegistryTest, while_it_runs_a_difference_is_found_and_nothing_is_added) {
  const CreatedKey kept = make_key();
  const CreatedKey other = make_key("user:bob");
  EXPECT_TRUE(registry_->reconcile()->empty());
  append_request();
  EXPECT_TRUE(registry_->reconcile()->empty());
  set_log_level(LogLevel::off);
  run_sql("UPDATE api_keys SET principal_id = 'root' WHERE prefix = '" + kept.record.prefix + "'");
  const auto found = registry_->reconcile();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0].field, "principal_id");
  EXPECT_EQ((*found)[0].database, "root");
  EXPECT_EQ((*found)[0].ledger, "ada");
  EXPECT_EQ(authenticate(kept.key)->id, "ada");
  EXPECT_EQ(code(registry_->add_model(model("m"), "cli:root")), ErrorCode::failed_precondition);
  EXPECT_EQ(code(registry_->create_key({"user:eve", {}, {}}, "cli:root")),
            ErrorCode::failed_precondition);
  EXPECT_EQ(registry_->reconcile()->size(), 1u);
  ASSERT_TRUE(registry_->mark_seen());
  // Somebody puts it right.
  run_sql("UPDATE api_keys SET principal_id = 'ada' WHERE prefix = '" + kept.record.prefix + "'");
  EXPECT_TRUE(registry_->reconcile()->empty());
  EXPECT_TRUE(registry_->add_model(model("m"), "cli:root"));
  // And a revocation goes on meanwhile.
  run_sql("DELETE FROM models");
  EXPECT_EQ(registry_->reconcile()->size(), 1u);
  EXPECT_TRUE(registry_->revoke_key(other.record.id, "cli:root"));
  EXPECT_FALSE(authenticate(other.key));
  restart();
  EXPECT_FALSE(authenticate(other.key));
  EXPECT_EQ(registry_->list_models()->size(), 1u);
}

TEST_F(RegistryTest, a_database_without_a_seal_is_folded_once_and_sealed) {
  const CreatedKey created = make_key();
  run_sql("UPDATE seal SET seal = ''");
  restart();
  EXPECT_TRUE(registry_->differences().empty());
  EXPECT_TRUE(authenticate(created.key));
  std::string seal;
  soci::session sql(soci::sqlite3, "dbname=" + (folder_ / "state.db").string());
  sql << "SELECT seal FROM seal", soci::into(seal);
  EXPECT_EQ(seal.size(), 64u);
}

TEST_F(RegistryTest, an_old_database_put_back_is_brought_up_to_date) {
  const CreatedKey created = make_key();
  stop();
  std::filesystem::copy_file(folder_ / "state.db", folder_ / "old.db");
  start();
  ASSERT_TRUE(registry_->catch_up(ledger_folder()));
  ASSERT_TRUE(registry_->revoke_key(created.record.id, "cli:root"));
  stop();
  for (const char* name : {"state.db", "state.db-wal", "state.db-shm"})
    std::filesystem::remove(folder_ / name);
  std::filesystem::rename(folder_ / "old.db", folder_ / "state.db");
  start();
  EXPECT_EQ(registry_->catch_up(ledger_folder()), 1u);
  EXPECT_FALSE(authenticate(created.key));
  EXPECT_TRUE(registry_->differences().empty());
}

TEST_F(RegistryTest, a_ledger_that_cannot_be_written_means_no_change) {
  make_key();
  ASSERT_TRUE(ledger_->close());
  EXPECT_FALSE(registry_->create_key({"user:ada", {}, {}}, "cli:root"));
  EXPECT_FALSE(registry_->add_model(model("m"), "cli:root"));
  EXPECT_EQ(registry_->list_keys()->size(), 1u);
  EXPECT_TRUE(registry_->list_models()->empty());
}

}  // namespace
}  // namespace gatehouse::identity
