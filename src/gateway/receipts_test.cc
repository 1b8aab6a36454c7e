// Receipts for callers, below HTTP: what is asked for, where the latest entries stand, who waits,
// and who gets what. tests/e2e/receipts.test.mjs drives them through the binary.
#include "gateway/receipts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <latch>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/random.h"
#include "gateway/coverage.h"
#include "ledger/event.h"
#include "ledger/ledger.h"
#include "ledger/proof.h"

namespace gatehouse::gateway {
namespace {

using std::chrono::milliseconds;
// What must be there.
template <class T>
T must(std::optional<T> value) {
  GH_CHECK(value.has_value());
  return *std::move(value);
}

constexpr const char* some_id = "019ac1f0-8f3a-7c21-9d0e-5b6a7c8d9e0f";

std::expected<ReceiptRequest, ApiError> parse(const std::string& tail, const char* accept = "") {
  net::RequestHead head;
  head.method = "GET";
  head.target = std::string(receipts_path) + tail;
  if (*accept != '\0') head.fields.add("Accept", accept);
  return parse_receipt_request(head);
}

TEST(ReceiptRequest, ReadsWhatIsAskedFor) {
  const std::string id = some_id;
  EXPECT_EQ(to_string(parse(id)->id), id);
  EXPECT_EQ(parse(id)->wait, milliseconds(0));
  EXPECT_EQ(parse(id)->form, ReceiptForm::proof);
  EXPECT_EQ(parse(id + "?wait=250ms")->wait, milliseconds(250));
  EXPECT_EQ(parse(id + "?format=json&wait=10s")->wait, milliseconds(10'000));
  EXPECT_EQ(parse(id + "?format=json")->form, ReceiptForm::json);
  EXPECT_EQ(parse(id, "application/json")->form, ReceiptForm::json);
  EXPECT_EQ(parse(id, "text/html, application/json;q=0.9")->form, ReceiptForm::json);
  EXPECT_EQ(parse(id, "*/*")->form, ReceiptForm::proof);
  EXPECT_EQ(parse(id + "?format=proof", "application/json")->form, ReceiptForm::proof);
}

TEST(ReceiptRequest, RefusesTheRest) {
  const std::string id = some_id;
  for (const std::string& tail : {std::string(),
                                  std::string("x"),
                                  id + "/",
                                  id + "0",
                                  id.substr(1),
                                  "0" + id,
                                  std::string("019AC1F0-8F3A-7C21-9D0E-5B6A7C8D9E0F"),
                                  id + "?wait",
                                  id + "?wait=",
                                  id + "?wait=1",
                                  id + "?wait=-1s",
                                  id + "?wait=11s",
                                  id + "?wait=10001ms",
                                  id + "?wait=99999999999999999999s",
                                  id + "?wait=1h",
                                  id + "?wait=s",
                                  id + "?format=xml",
                                  id + "?format=",
                                  id + "?wait=1s&",
                                  id + "?other=1"}) {
    const auto request = parse(tail);
    ASSERT_FALSE(request) << tail;
    EXPECT_EQ(request.error().problem, Problem::bad_request) << tail;
  }
}

TEST(RecentEntries, KnowsTheLatest) {
  SystemRandom random;
  const SystemClock clock;
  RecentEntries recent(1'024);
  std::vector<std::string> ids;
  for (std::uint64_t i = 0; i < 100; ++i) {
    ids.push_back(make_uuid7(clock, random));
    recent.note(must(entry_key(ids.back())), i);
  }
  std::size_t known = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto found = recent.find(must(entry_key(ids[i])));
    if (!found) continue;
    EXPECT_EQ(*found, i);
    ++known;
  }
  EXPECT_GT(known, 80u) << "few lose their place";
  const auto decision = must(entry_key(ids[0]));
  EXPECT_FALSE(recent.find_outcome(decision));
  const auto outcome = must(entry_key(make_uuid7(clock, random)));
  recent.note_outcome(decision, outcome, 777);
  EXPECT_EQ(recent.find(outcome), 777u);
  EXPECT_EQ(must(recent.find_outcome(decision)).index, 777u);
  EXPECT_EQ(must(recent.find_outcome(decision)).id, outcome);
  EXPECT_FALSE(recent.find_outcome(outcome));
}

// A log with calls of ada and bob in it.
class Receipts : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger::Options options;
    options.directory = folder_;
    options.origin = "example.org/log";
    options.segment_bytes = 1u << 20;
    options.checkpoint_interval = std::chrono::hours(1);
    options.requested_checkpoint_interval = milliseconds(10);
    ledger_ = ledger::Ledger::open(options, crypto::SigningKey::from_seed(crypto::Digest{}), clock_)
                  .value();
    desk_ = std::make_unique<ReceiptDesk>(folder_);
  }
  void TearDown() override {
    desk_.reset();
    ledger_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A decision, or the outcome of one; gives its id.
  std::string record(const std::string& who, const std::string& decision = "") {
    ledger::Event event;
    event.id = make_uuid7(clock_, random_);
    event.time = clock_.wall();
    event.type = decision.empty() ? "request.decided" : "request.completed";
    event.node = "gw-1";
    event.actor = R"({"kind":"user","id":")" + who + R"("})";
    event.data = decision.empty() ? R"({"effect":"permit"})"
                                  : R"({"decision":")" + decision + R"(","status":200})";
    last_index_ = ledger_->append_and_wait(ledger::serialize(event).value()).value();
    return event.id;
  }

  MadeReceipt make(const std::string& id, const std::string& who,
                   ReceiptForm form = ReceiptForm::proof) {
    WantedReceipt wanted;
    wanted.id = must(entry_key(id));
    wanted.form = form;
    wanted.principal = who;
    wanted.of_anybody = who == "everybody";
    return desk_->make(wanted);
  }

  void expect_proves(const std::string& proof, const std::string& entry) {
    const auto receipt = ledger::parse_receipt(proof);
    ASSERT_TRUE(receipt) << receipt.error().describe();
    const auto key = ledger::parse_verifier_key(ledger_->verifier_key()).value();
    const auto checked = ledger::check_receipt(*receipt, key, entry);
    EXPECT_TRUE(checked) << checked.error().describe();
  }

  const SystemClock clock_;
  SystemRandom random_;
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("receipts-" + std::to_string(::getpid()));
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ReceiptDesk> desk_;
  std::uint64_t last_index_ = 0;
};

TEST_F(Receipts, OfOnesOwnCallsOnly) {
  const auto decision = record("ada");
  const auto other = record("bob");
  ASSERT_TRUE(ledger_->checkpoint_now());
  EXPECT_EQ(make(decision, "user:ada").state, ReceiptState::made);
  EXPECT_EQ(make(decision, "user:bob").state, ReceiptState::unknown);
  EXPECT_EQ(make(decision, "service:ada").state, ReceiptState::unknown);
  EXPECT_EQ(make(other, "user:ada").state, ReceiptState::unknown);
  EXPECT_EQ(make(other, "everybody").state, ReceiptState::made);
  EXPECT_EQ(make(some_id, "everybody").state, ReceiptState::unknown);
}

TEST_F(Receipts, OneAnswerHasDecisionAndOutcome) {
  const auto decision = record("ada");
  record("bob", record("bob"));
  const auto outcome = record("ada", decision);
  ASSERT_TRUE(ledger_->checkpoint_now());
  const auto made = make(decision, "user:ada", ReceiptForm::json);
  ASSERT_EQ(made.state, ReceiptState::made);
  const auto json = nlohmann::json::parse(made.body);
  EXPECT_EQ(json["id"], decision);
  EXPECT_EQ(json["index"], 0);
  EXPECT_EQ(json["outcome"]["id"], outcome);
  EXPECT_EQ(json["outcome"]["index"], 3);
  expect_proves(json["proof"], json["entry"]);
  expect_proves(json["outcome"]["proof"], json["outcome"]["entry"]);
  // The outcome can be asked for by itself.
  const auto alone = nlohmann::json::parse(make(outcome, "user:ada", ReceiptForm::json).body);
  EXPECT_EQ(alone["index"], 3);
  EXPECT_TRUE(alone["outcome"].is_null());
}

TEST_F(Receipts, AnOutcomeThatIsNotCoveredIsNotThere) {
  const auto decision = record("ada");
  ASSERT_TRUE(ledger_->checkpoint_now());
  const auto outcome = record("ada", decision);
  WantedReceipt wanted;
  wanted.id = must(entry_key(decision));
  wanted.form = ReceiptForm::json;
  wanted.principal = "user:ada";
  wanted.index = 0;
  wanted.outcome = RecentEntries::Place{.id = must(entry_key(outcome)), .index = last_index_};
  const auto made = desk_->make(wanted);
  ASSERT_EQ(made.state, ReceiptState::made);
  EXPECT_TRUE(nlohmann::json::parse(made.body)["outcome"].is_null());
}

TEST_F(Receipts, AnIndexThatBelongsToAnotherEntryIsNotBelieved) {
  const auto decision = record("ada");
  record("ada");
  ASSERT_TRUE(ledger_->checkpoint_now());
  WantedReceipt wanted;
  wanted.id = must(entry_key(decision));
  wanted.principal = "user:ada";
  wanted.index = 1;
  EXPECT_EQ(desk_->make(wanted).state, ReceiptState::unknown);
  wanted.index = 2;
  EXPECT_EQ(desk_->make(wanted).state, ReceiptState::pending);
}

TEST_F(Receipts, ALogThatCannotBeReadIsSaid) {
  const auto id = record("ada");
  std::filesystem::rename(folder_, folder_.string() + ".away");
  EXPECT_EQ(make(id, "user:ada").state, ReceiptState::broken);
  std::filesystem::rename(folder_.string() + ".away", folder_);
}

// Runs a loop until the task has ended.
template <class Make>
void run(net::Loop& loop, Make make) {
  struct Runner {
    static net::Task<void> all(net::Loop& loop, Make& make) {
      co_await make();
      loop.stop();
    }
  };
  loop.spawn(Runner::all(loop, make));
  loop.run();
}

struct Waits {
  static net::Task<void> one(Coverage& coverage, std::uint64_t index, SteadyTime until, int& yes,
                             int& no) {
    ++(co_await coverage.wait(index, until) ? yes : no);
  }
};

TEST_F(Receipts, WaitersAreToldWhenACheckpointComes) {
  record("ada");
  net::Loop loop;
  bool may_wait = true;
  Coverage coverage(loop, *ledger_, clock_, [&] { return may_wait; });
  int yes = 0;
  int no = 0;
  const auto begin = clock_.steady();
  for (int i = 0; i < 100; ++i)
    loop.spawn(Waits::one(coverage, 0, begin + std::chrono::seconds(5), yes, no));
  loop.spawn(Waits::one(coverage, 0, begin, yes, no));  // nobody is made to wait past its time
  struct Ends {
    static net::Task<void> when(net::Loop& loop, const int& yes, const int& no, int all) {
      while (yes + no < all) co_await loop.sleep(milliseconds(1));
      loop.stop();
    }
  };
  loop.spawn(Ends::when(loop, yes, no, 101));
  loop.run();
  EXPECT_EQ(yes, 100);
  EXPECT_EQ(no, 1);
  EXPECT_LT(clock_.steady() - begin, std::chrono::seconds(3));
  EXPECT_EQ(coverage.waiting(), 0u);
}

TEST_F(Receipts, WaitersLeaveAtTheirTimeAndWhenTheGatewayStops) {
  net::Loop loop;
  bool may_wait = true;
  Coverage coverage(loop, *ledger_, clock_, [&] { return may_wait; });
  int yes = 0;
  int no = 0;
  const auto begin = clock_.steady();
  run(loop, [&] { return Waits::one(coverage, 5, begin + milliseconds(40), yes, no); });
  EXPECT_EQ(no, 1);
  EXPECT_GE(clock_.steady() - begin, milliseconds(40));
  may_wait = false;
  net::Loop other;
  Coverage stopping(other, *ledger_, clock_, [&] { return may_wait; });
  run(other,
      [&] { return Waits::one(stopping, 5, clock_.steady() + std::chrono::hours(1), yes, no); });
  EXPECT_EQ(no, 2);
}

TEST_F(Receipts, AreMadeBesideTheLoop) {
  const auto id = record("ada");
  ASSERT_TRUE(ledger_->checkpoint_now());
  struct Fetch {
    static net::Task<void> one(net::Loop& loop, ReceiptDesk& desk, WantedReceipt wanted,
                               MadeReceipt& made) {
      made = co_await desk.fetch(loop, std::move(wanted));
    }
  };
  WantedReceipt wanted;
  wanted.id = must(entry_key(id));
  wanted.principal = "user:ada";
  MadeReceipt made;
  net::Loop loop;
  run(loop, [&] { return Fetch::one(loop, *desk_, wanted, made); });
  EXPECT_EQ(made.state, ReceiptState::made);
}

}  // namespace
}  // namespace gatehouse::gateway
