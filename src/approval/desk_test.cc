// The desk over the real ledger and the real database: who may decide, how often, about exactly
// what, until when, and that a restart changes none of it.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "approval/approval.h"
#include "approval/record_text.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "ledger/query.h"

namespace gatehouse::approval {
namespace {

using namespace std::chrono_literals;

class TestClock final : public Clock {
 public:
  WallTime wall() const override { return now_; }
  SteadyTime steady() const override { return SteadyTime(now_.load().time_since_epoch()); }
  void pass(WallTime::duration time) { now_ = now_.load() + time; }

 private:
  // The ledger's writer reads it too.
  std::atomic<WallTime> now_{WallTime(std::chrono::seconds(1'800'000'000))};
};

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("desk_test." + make_uuid7(SystemClock(), random_));
    std::filesystem::create_directory(folder_);
    start();
  }
  ~DeskTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    ledger::Options options;
    options.directory = folder_ / "ledger";
    options.origin = "example.org/log";
    ledger_ = ledger::Ledger::open(
                  options, crypto::SigningKey::from_seed(crypto::sha256(bytes_of("log"))), clock_)
                  .value();
    store_ = store::Store::open(folder_ / "state.db", 0s).value();
    registry_ = std::make_unique<identity::Registry>(
        *ledger_, *store_, crypto::sha256(bytes_of("keys")), "gw-1", clock_, random_);
    ASSERT_TRUE(registry_->catch_up(folder_ / "ledger"));
    desk_ = std::make_unique<Desk>(*registry_, folder_ / "approvals",
                                   crypto::sha256(bytes_of("approvals")), clock_, random_);
    ASSERT_TRUE(desk_->load());
  }
  void stop() {
    desk_.reset();
    registry_.reset();
    store_.reset();
    ledger_.reset();
  }
  // By a crash: nothing is told to the database beyond what each change told it.
  void restart(bool without_database = false) {
    stop();
    if (without_database)
      for (const char* name : {"state.db", "state.db-wal", "state.db-shm"})
        std::filesystem::remove(folder_ / name);
    start();
  }

  static Call payment(std::string amount = "20") {
    Call call;
    call.tool = "pay";
    call.arguments = R"({"amount":)" + amount + R"(,"recipient":"BILL"})";
    call.principal = "agent:helper";
    call.acts_for = {"user:ada"};
    call.request = "0199";
    call.reason = "Only untrusted content names: recipient.";
    return call;
  }
  // What its digest is over.
  static std::string payment_text() {
    std::string text;
    for (const std::string part :
         {"", "pay", R"({"amount":20,"recipient":"BILL"})", "agent:helper", "", "user:ada"})
      text += std::to_string(part.size()) + ":" + part;
    return text;
  }
  static Approver approver(std::string id, std::set<std::string> roles = {"approver"}) {
    return {std::move(id), std::move(roles), {}, {}};
  }
  Answer ask(const Call& call, const std::vector<Quorum>& quorums = {{"approver", 1}},
             std::chrono::milliseconds lifetime = 1h) {
    auto answer = desk_->ask(call, quorums, lifetime);
    EXPECT_TRUE(answer) << answer.error().describe();
    return answer.value_or(Answer{});
  }
  std::vector<std::string> events() {
    std::vector<std::string> types;
    EXPECT_TRUE(ledger::scan(folder_ / "ledger", 0, {}, [&](const ledger::FoundEntry& found) {
      types.push_back(nlohmann::json::parse(found.entry)["type"]);
      return true;
    }));
    return types;
  }

  SystemRandom random_;
  TestClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<identity::Registry> registry_;
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskTest, AnApprovedCallPassesOnceExactlyAsItWas) {
  const auto waiting = ask(payment());
  EXPECT_EQ(waiting.verdict, Verdict::waiting);
  EXPECT_EQ(ask(payment()).id, waiting.id) << "the same call waits for the same approval";
  EXPECT_NE(ask(payment("21")).id, waiting.id);
  const auto granted = desk_->approve(waiting.id, approver("user:bob"));
  ASSERT_TRUE(granted) << granted.error().describe();
  EXPECT_EQ(granted->state, State::granted);
  EXPECT_EQ(ask(payment("21")).verdict, Verdict::waiting) << "another amount is another call";
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
  EXPECT_NE(ask(payment()).id, waiting.id) << "once";
  EXPECT_EQ(desk_->show(waiting.id).error().code, ErrorCode::not_found);
}

TEST_F(DeskTest, TheDigestIsOverAllThatMakesTheCall) {
  const auto key = crypto::sha256(bytes_of("digests"));
  const auto digest = digest_of(key, payment());
  EXPECT_NE(digest, digest_of(crypto::sha256(bytes_of("another key")), payment()));
  const auto differs = [&](auto change) {
    Call call = payment();
    change(call);
    return digest_of(key, call) != digest;
  };
  EXPECT_TRUE(differs([](Call& call) { call.server = "bank"; }));
  EXPECT_TRUE(differs([](Call& call) { call.tool = "pay2"; }));
  EXPECT_TRUE(differs([](Call& call) { call.arguments = "{}"; }));
  EXPECT_TRUE(differs([](Call& call) { call.principal = "agent:other"; }));
  EXPECT_TRUE(differs([](Call& call) { call.acts_for = {}; }));
  EXPECT_TRUE(differs([](Call& call) { call.session = "s"; }));
  EXPECT_FALSE(differs([](Call& call) { call.request = "another"; }));
  // Parts do not run into each other.
  Call a, b;
  a.server = "ab";
  b.server = "a";
  b.tool = "b";
  EXPECT_NE(digest_of(key, a), digest_of(key, b));
}

TEST_F(DeskTest, TheLedgerHasNoDigestThatCanBeTried) {
  ask(payment());
  const auto text = payment_text();
  bool found = false;
  EXPECT_TRUE(ledger::scan(folder_ / "ledger", 0, {}, [&](const ledger::FoundEntry& entry) {
    const auto event = nlohmann::json::parse(entry.entry);
    if (event["type"] != "approval.requested") return true;
    found = true;
    EXPECT_TRUE(event["data"]["digest"].get<std::string>().starts_with("hmac-sha256:"));
    EXPECT_EQ(entry.entry.find(to_hex(crypto::sha256(bytes_of(text)))), std::string::npos);
    return true;
  }));
  EXPECT_TRUE(found);
}

// One that was asked for before digests were keyed.
TEST_F(DeskTest, AnApprovalWithAPlainDigestIsStillGood) {
  Record record;
  record.id = "ap_0123456789abcdef01234567";
  record.digest = to_hex(crypto::sha256(bytes_of(payment_text())));
  record.call = payment();
  record.quorums = {{"approver", 1}};
  record.requested = clock_.wall();
  record.expires = clock_.wall() + 1h;
  const auto sealed = crypto::seal(crypto::sha256(bytes_of("approvals")),
                                   bytes_of(record.call.arguments), bytes_of(record.id), random_);
  ASSERT_TRUE(write_file_atomically(folder_ / "approvals" / record.id, sealed));
  ASSERT_TRUE(
      registry_->change("approval.requested", "agent:helper", "{}", event_data(record, {})));
  restart();
  EXPECT_EQ(ask(payment()).id, record.id);
  ASSERT_TRUE(desk_->approve(record.id, approver("user:bob")));
  EXPECT_EQ(ask(payment("21")).verdict, Verdict::waiting);
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
}

TEST_F(DeskTest, NobodyDecidesWhatTheyAskedForNorWhatWasAskedInTheirName) {
  const auto id = ask(payment()).id;
  for (const char* who : {"agent:helper", "user:ada"}) {
    EXPECT_EQ(desk_->approve(id, approver(who)).error().code, ErrorCode::permission_denied) << who;
    EXPECT_EQ(desk_->deny(id, approver(who)).error().code, ErrorCode::permission_denied) << who;
  }
  EXPECT_EQ(desk_->approve(id, approver("user:bob", {"auditor"})).error().code,
            ErrorCode::permission_denied);
  EXPECT_EQ(desk_->approve(id, approver("user:bob", {})).error().code,
            ErrorCode::permission_denied);
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting);
}

TEST_F(DeskTest, AQuorumIsOfDifferentPeople) {
  const auto id = ask(payment(), {{"approver", 2}}).id;
  EXPECT_EQ(desk_->approve(id, approver("user:bob"))->state, State::pending);
  EXPECT_EQ(desk_->approve(id, approver("user:bob")).error().code, ErrorCode::failed_precondition);
  restart();
  EXPECT_EQ(desk_->approve(id, approver("user:bob")).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(ask(payment(), {{"approver", 2}}).verdict, Verdict::waiting);
  EXPECT_EQ(desk_->approve(id, approver("user:eve"))->state, State::granted);
  EXPECT_EQ(ask(payment(), {{"approver", 2}}).verdict, Verdict::approved);
}

// Whoever decided first is counted for the roles they had, never for those they had not.
TEST_F(DeskTest, EachRoleNeedsItsOwnPeople) {
  const std::vector<Quorum> both{{"approver", 1}, {"treasurer", 1}};
  const auto id = ask(payment(), both).id;
  EXPECT_EQ(desk_->approve(id, approver("user:bob", {"approver"}))->state, State::pending);
  EXPECT_EQ(desk_->approve(id, approver("user:eve", {"approver"}))->state, State::pending);
  restart();
  EXPECT_EQ(desk_->approve(id, approver("user:tom", {"treasurer"}))->state, State::granted);
}

TEST_F(DeskTest, WhatIsSettledStaysSettled) {
  const auto id = ask(payment()).id;
  EXPECT_EQ(desk_->deny(id, approver("user:bob"))->state, State::denied);
  EXPECT_EQ(ask(payment()).verdict, Verdict::denied);
  for (const bool without_database : {false, true}) {
    restart(without_database);
    EXPECT_EQ(ask(payment()).verdict, Verdict::denied) << "a denial survives a restart";
    EXPECT_EQ(desk_->approve(id, approver("user:eve")).error().code,
              ErrorCode::failed_precondition);
  }
  clock_.pass(2h);
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting) << "until it ends";
}

TEST_F(DeskTest, AGrantSurvivesARestartAndIsStillForOneUse) {
  const auto id = ask(payment()).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  restart(/*without_database=*/true);
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
  restart(/*without_database=*/true);
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting);
}

TEST_F(DeskTest, WhoGrantedMayTakeItBackUntilItIsUsed) {
  const auto id = ask(payment()).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  EXPECT_EQ(desk_->approve(id, approver("user:eve")).error().code, ErrorCode::failed_precondition);
  ASSERT_TRUE(desk_->deny(id, approver("user:bob")));
  EXPECT_EQ(ask(payment()).verdict, Verdict::denied);
}

TEST_F(DeskTest, EverythingEnds) {
  const auto id = ask(payment(), {{"approver", 1}}, 10min).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  clock_.pass(10min);
  EXPECT_EQ(desk_->show(id).error().code, ErrorCode::not_found);
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting);
  EXPECT_EQ(std::ranges::count(events(), "approval.expired"), 1);
  restart();
  EXPECT_EQ(desk_->list().size(), 1u);
}

TEST_F(DeskTest, PoliciesThatAskForMoreThanWasGrantedAskAgain) {
  const auto id = ask(payment()).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  EXPECT_EQ(ask(payment(), {{"approver", 2}}).verdict, Verdict::waiting);
  EXPECT_EQ(ask(payment(), {{"treasurer", 1}}).verdict, Verdict::waiting);
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
}

TEST_F(DeskTest, AStandingApprovalHasScopeAndEnd) {
  EXPECT_EQ(desk_->grant("", "pay", "user:bob", 1h, approver("user:bob")).error().code,
            ErrorCode::permission_denied);
  EXPECT_EQ(desk_->grant("", "pay", "agent:helper", 1h, approver("user:bob", {})).error().code,
            ErrorCode::permission_denied);
  EXPECT_FALSE(desk_->grant("", "pay", "agent:helper", 0h, approver("user:bob")));
  EXPECT_FALSE(desk_->grant("", "pay", "agent:helper", 400 * 24h, approver("user:bob")));
  const auto standing = desk_->grant("", "pay", "agent:helper", 1h, approver("user:bob")).value();
  restart(/*without_database=*/true);
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
  EXPECT_EQ(ask(payment("21")).verdict, Verdict::approved) << "as often as it is asked for";
  restart(/*without_database=*/true);
  EXPECT_EQ(ask(payment("22")).id, standing.id);
  Call other = payment();
  other.tool = "pay_all";
  EXPECT_EQ(ask(other).verdict, Verdict::waiting);
  other = payment();
  other.principal = "agent:other";
  EXPECT_EQ(ask(other).verdict, Verdict::waiting);
  other = payment("23");
  EXPECT_EQ(ask(other, {{"treasurer", 1}}).verdict, Verdict::waiting) << "only for roles it has";
  EXPECT_EQ(ask(payment("24"), {{"approver", 2}}).verdict, Verdict::waiting);
  EXPECT_EQ(desk_->approve(standing.id, approver("user:eve")).error().code,
            ErrorCode::failed_precondition);
  clock_.pass(1h);
  EXPECT_EQ(ask(payment("25")).verdict, Verdict::waiting);
}

TEST_F(DeskTest, AStandingApprovalForEverybodyIsNotForWhoeverGaveIt) {
  ASSERT_TRUE(desk_->grant("", "pay", "*", 1h, approver("user:ada")));
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting) << "ada is whom the agent acts for";
  Call other = payment();
  other.acts_for = {"user:grace"};
  EXPECT_EQ(ask(other).verdict, Verdict::approved);
}

TEST_F(DeskTest, AStandingApprovalCanBeWithdrawn) {
  const auto standing = desk_->grant("", "pay", "*", 1h, approver("cli:root", {})).value();
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
  EXPECT_EQ(desk_->withdraw(standing.id, approver("user:bob", {})).error().code,
            ErrorCode::permission_denied);
  ASSERT_TRUE(desk_->withdraw(standing.id, approver("user:bob")));
  restart();
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting);
}

TEST_F(DeskTest, WhatCannotBeShownCannotBeApproved) {
  const auto id = ask(payment()).id;
  const auto other = ask(payment("9999")).id;
  // Somebody with the disk puts what another call would do in the place of this one.
  std::filesystem::copy_file(folder_ / "approvals" / other, folder_ / "approvals" / id,
                             std::filesystem::copy_options::overwrite_existing);
  restart();
  EXPECT_FALSE(desk_->show(id)->shown);
  EXPECT_EQ(desk_->approve(id, approver("user:bob")).error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(desk_->show(other)->shown);
  EXPECT_TRUE(desk_->deny(id, approver("user:bob")));
}

TEST_F(DeskTest, AFileThatIsPutBackApprovesNothing) {
  const auto id = ask(payment()).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  std::filesystem::copy_file(folder_ / "approvals" / id, folder_ / "saved");
  EXPECT_EQ(ask(payment()).verdict, Verdict::approved);
  std::filesystem::copy_file(folder_ / "saved", folder_ / "approvals" / id);
  restart();
  EXPECT_EQ(ask(payment()).verdict, Verdict::waiting);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "approvals" / id));
}

TEST_F(DeskTest, ALinkIsUsedOnce) {
  const auto id = ask(payment(), {{"approver", 2}}).id;
  auto bob = approver("user:bob");
  bob.link = "n1";
  ASSERT_TRUE(desk_->approve(id, bob));
  EXPECT_EQ(desk_->deny(id, bob).error().code, ErrorCode::failed_precondition);
  restart();
  EXPECT_EQ(desk_->deny(id, bob).error().message, "this link was used already");
  bob.link.clear();
  EXPECT_TRUE(desk_->deny(id, bob)) << "with a credential of their own they still may";
}

TEST_F(DeskTest, NeitherLedgerNorDatabaseHasTheArguments) {
  const auto id = ask(payment()).id;
  ASSERT_TRUE(desk_->approve(id, approver("user:bob")));
  ASSERT_TRUE(ledger::scan(folder_ / "ledger", 0, {}, [&](const ledger::FoundEntry& found) {
    EXPECT_EQ(std::string(found.entry).find("BILL"), std::string::npos);
    return true;
  }));
  const auto file = read_file(folder_ / "approvals" / id, 1 << 20).value();
  EXPECT_EQ(file.find("BILL"), std::string::npos);
  EXPECT_EQ(desk_->show(id)->call.arguments, payment().arguments);
}

TEST_F(DeskTest, WhatNobodyCouldReadIsNotAskedFor) {
  Call call = payment();
  call.arguments.assign(Desk::most_shown + 1, 'x');
  EXPECT_EQ(desk_->ask(call, {{"approver", 1}}, 1h).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(events().empty());
}

}  // namespace
}  // namespace gatehouse::approval
