// Acts of operators against a real ledger and a real vault: what is recorded, and what a process
// that died in between leaves.
#include "gateway/vault_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/id.h"
#include "base/text.h"
#include "ledger/event.h"

namespace gatehouse::gateway {
namespace {

constexpr WallTime epoch{std::chrono::microseconds(1'790'000'000'000'000)};

class VaultKeeperTest : public ::testing::Test {
 protected:
  VaultKeeperTest() {
    std::filesystem::remove_all(folder_);
    config_.data = folder_;
    config_.node = "gw-test";
    config_.vault.segment_bytes = 1'024;
    std::filesystem::create_directories(folder_);
    open();
  }
  ~VaultKeeperTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    ledger::Options options;
    options.directory = config_.ledger_directory();
    options.last_signed = config_.last_signed_directory();
    options.origin = "example.com/vault-keeper";
    ledger_ =
        ledger::Ledger::open(std::move(options), crypto::SigningKey::from_seed({}), clock_).value();
    auto keeper = VaultKeeper::open(config_, derived_, *ledger_, clock_, random_);
    ASSERT_TRUE(keeper) << keeper.error().describe();
    keeper_ = std::move(*keeper);
  }
  void close() {
    keeper_.reset();
    ledger_.reset();
  }
  void reopen() {
    close();
    open();
  }

  vault::RecordId keep(std::string_view subject = "") {
    clock_.advance(std::chrono::seconds(1));
    auto& vault = keeper_->vault();
    vault::NewRecord record;
    record.id = vault::parse_record_id(make_uuid7(clock_, random_)).value();
    record.content = std::string(500, 'c');
    record.time = clock_.wall();
    record.secrets = vault.new_secrets();
    if (!subject.empty()) record.subjects.push_back(vault.subject(subject).value());
    const auto id = record.id;
    EXPECT_TRUE(vault.keep_and_wait(std::move(record)));
    return id;
  }
  bool is_erased(const vault::RecordId& id) const {
    return keeper_->vault().look(id).value().at(0).erased;
  }

  // Entries of that type, oldest first.
  std::vector<std::string> events(std::string_view type) {
    auto reader = ledger::EntryReader::open(config_.ledger_directory()).value();
    std::vector<std::string> found;
    std::uint64_t index = 0;
    std::string entry;
    while (reader.next(index, entry).value())
      if (entry.contains("\"type\":\"" + std::string(type) + "\"")) found.push_back(entry);
    return found;
  }

  // An order as the keeper would write it, its event too.
  vault::Order erase_order(const vault::RecordId& id) {
    vault::Order order;
    order.kind = vault::Order::Kind::erase;
    order.records = {id};
    ledger::Event event;
    event.id = order.event_id = make_uuid7(clock_, random_);
    event.time = clock_.wall();
    event.type = "vault.erased";
    order.event = ledger::serialize(event).value();
    return order;
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                        ("gatehouse-keeper-test-" + std::to_string(::getpid()));
  ManualClock clock_{epoch};
  SeededRandom random_{3};
  Config config_;
  crypto::Digest derived_{};
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<VaultKeeper> keeper_;
};

TEST_F(VaultKeeperTest, PrunesWhatIsOldAndNotHeld) {
  std::vector<vault::RecordId> ids;
  ids.reserve(6);
  for (int i = 0; i < 6; ++i) ids.push_back(keep(i == 2 ? "ada@example.org" : ""));
  ASSERT_TRUE(keeper_->hold_subject("ada@example.org", "case 1", "cli:test"));
  ASSERT_TRUE(keeper_->keep_up(std::chrono::hours(1)));
  EXPECT_TRUE(events("vault.pruned").empty()) << "nothing is old yet";
  clock_.advance(std::chrono::hours(2));
  const auto last = keep();
  ASSERT_TRUE(keeper_->keep_up(std::chrono::hours(1)));
  EXPECT_FALSE(events("vault.pruned").empty());
  EXPECT_FALSE(keeper_->vault().look(ids.front())) << "old";
  EXPECT_TRUE(keeper_->vault().look(ids[2])) << "held";
  EXPECT_TRUE(keeper_->vault().look(last)) << "new";
  const auto hold = keeper_->vault().holds().at(0).id;
  ASSERT_TRUE(keeper_->release(hold, "closed", "cli:test"));
  ASSERT_TRUE(keeper_->keep_up(std::chrono::hours(1)));
  EXPECT_FALSE(keeper_->vault().look(ids[2]));
}

TEST_F(VaultKeeperTest, AnOrderWithoutItsEventIsRecordedAndCarriedOutAtStart) {
  const auto id = keep();
  ASSERT_TRUE(keeper_->vault().begin(erase_order(id)));
  reopen();
  EXPECT_TRUE(is_erased(id));
  EXPECT_EQ(events("vault.erased").size(), 1u);
  EXPECT_FALSE(keeper_->vault().unfinished());
}

TEST_F(VaultKeeperTest, AnOrderWhoseEventIsThereIsCarriedOutAndNotRecordedTwice) {
  const auto id = keep();
  const auto order = erase_order(id);
  ASSERT_TRUE(keeper_->vault().begin(order));
  ASSERT_TRUE(ledger_->append_and_wait(order.event));
  reopen();
  EXPECT_TRUE(is_erased(id));
  EXPECT_EQ(events("vault.erased").size(), 1u);
}

TEST_F(VaultKeeperTest, WithoutALedgerNothingIsReadErasedOrHeld) {
  const auto id = keep("ada@example.org");
  ASSERT_TRUE(ledger_->close());
  EXPECT_FALSE(keeper_->read(id, vault::Which::request, false, "cli:test"));
  EXPECT_FALSE(keeper_->find("ada@example.org", "cli:test"));
  EXPECT_FALSE(keeper_->erase({id}, "please", "cli:test"));
  EXPECT_FALSE(keeper_->hold(id, "case", "cli:test"));
  EXPECT_TRUE(keeper_->vault().holds().empty());
  EXPECT_FALSE(keeper_->vault().unfinished()) << "an order without an event is withdrawn";
  EXPECT_FALSE(is_erased(id));
  reopen();
  EXPECT_FALSE(is_erased(id));
  EXPECT_TRUE(events("vault.erased").empty());
}

TEST_F(VaultKeeperTest, HoldsAreHonouredOneByOne) {
  const auto held = keep("ada@example.org");
  const auto other = keep("ada@example.org");
  ASSERT_TRUE(keeper_->hold(held, "case", "cli:test"));
  const auto refused = keeper_->erase({held}, "please", "cli:test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
  const auto erased = keeper_->erase_subject("ADA@example.org", "please", "cli:test");
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->erased, std::vector<vault::RecordId>{other});
  EXPECT_EQ(erased->held, std::vector<vault::RecordId>{held});
  EXPECT_EQ(events("vault.refused").size(), 2u);
  EXPECT_FALSE(is_erased(held));
  for (const auto& entry : events("vault.erased"))
    EXPECT_FALSE(entry.contains("ada@example.org")) << "the ledger has a keyed hash of it";
  EXPECT_FALSE(keeper_->erase({other}, "again", "cli:test"));
  EXPECT_FALSE(keeper_->erase({held}, "  ", "cli:test")) << "a reason is needed";
}

}  // namespace
}  // namespace gatehouse::gateway
