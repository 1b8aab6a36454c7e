// A desk and a guard over real sockets, on one loop.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <thread>

#include "guard/desk_test_support.h"
#include "net/server.h"

namespace gatehouse::guard {
namespace {

using namespace std::chrono_literals;

// What the guard does with a question.
struct Reply {
  int status = 200;
  std::string body;
  std::chrono::milliseconds after{0};
};

constexpr const char* safe = R"({"choices":[{"message":{"content":"safe"}}]})";
constexpr const char* unsafe = R"({"choices":[{"message":{"content":"unsafe\nS2"}}]})";

class Desks : public testing::DeskTest {
 protected:
  Desks() {
    server_ = std::make_unique<net::Server>(
        loop_, net::ListenAddress{}, net::ServerLimits{},
        [this](net::ServerStream& stream) { return answer(*this, stream); });
    EXPECT_TRUE(server_->listen().has_value());
    config_.name = "llama";
    config_.model = "guard";
    config_.endpoint = *net::Endpoint::parse("http://127.0.0.1:" + std::to_string(server_->port()));
  }

  static net::Task<void> answer(Desks& test, net::ServerStream& stream) {
    (void)co_await stream.read_body(1u << 20);
    ++test.asked_;
    ++test.active_;
    test.most_active_ = std::max(test.most_active_, test.active_);
    const Reply reply = test.reply_;
    if (reply.after.count() > 0) co_await test.loop_.sleep(reply.after);
    --test.active_;
    net::ResponseHead head;
    head.status = reply.status;
    (void)co_await stream.respond(std::move(head), reply.body);
  }

  std::unique_ptr<net::Server> server_;
  Reply reply_{200, safe};
  int asked_ = 0;
  int active_ = 0;
  int most_active_ = 0;
};

TEST_F(Desks, VerdictsComeAndAreRemembered) {
  EXPECT_FALSE(ask("hello").flagged);
  reply_.body = unsafe;
  const Verdict known = ask("hello");
  EXPECT_TRUE(known.cached);
  EXPECT_FALSE(known.flagged);
  const Verdict other = ask("another");
  EXPECT_TRUE(other.flagged);
  EXPECT_EQ(other.categories, std::vector<std::string>{"S2"});
  EXPECT_EQ(asked_, 2);
}

TEST_F(Desks, FailuresAreNamedAndNotRemembered) {
  reply_ = {200, "I am a teapot", 0ms};
  EXPECT_EQ(ask("a").failure, Failure::unreadable);
  reply_ = {503, safe, 0ms};
  EXPECT_EQ(ask("a").failure, Failure::refused);
  reply_ = {200, std::string(1u << 20, ' '), 0ms};
  EXPECT_EQ(ask("a").failure, Failure::unreadable);
  reply_ = {200, safe, 0ms};
  EXPECT_EQ(ask("a").failure, Failure::none);
  EXPECT_EQ(ask(std::string(config_.text_bytes + 1, 'a')).failure, Failure::too_long);
  EXPECT_EQ(asked_, 4);
}

TEST_F(Desks, ASlowGuardFailsInItsTime) {
  reply_ = {200, safe, 5s};
  const auto began = clock_.steady();
  EXPECT_EQ(ask("a").failure, Failure::timeout);
  EXPECT_GE(clock_.steady() - began, 290ms);
  EXPECT_LT(clock_.steady() - began, 3s);
}

TEST_F(Desks, AGuardThatIsNotThereFails) {
  config_.endpoint = *net::Endpoint::parse("http://127.0.0.1:1");
  config_.fingerprint = "nobody";
  EXPECT_EQ(ask("a").failure, Failure::unreachable);
}

TEST_F(Desks, NoMoreThanItsPlacesAreTakenAndTheRestWaitsInOrder) {
  config_.concurrency = 2;
  config_.timeout = 10s;
  reply_.after = 20ms;
  for (int n = 0; n < 8; ++n) loop_.spawn(ask_one(*this, "text " + std::to_string(n), nullptr, 8));
  loop_.run();
  for (const Verdict& verdict : verdicts_) EXPECT_EQ(verdict.failure, Failure::none);
  EXPECT_EQ(asked_, 8);
  EXPECT_EQ(most_active_, 2);
}

TEST_F(Desks, WaitingIsBoundedInNumberAndTime) {
  config_.concurrency = 1;
  config_.waiting = 2;
  reply_.after = 5s;
  for (int n = 0; n < 4; ++n) loop_.spawn(ask_one(*this, "text " + std::to_string(n), nullptr, 4));
  loop_.run();
  EXPECT_EQ(verdicts_.at(0).failure, Failure::busy);
  for (std::size_t at = 1; at < 4; ++at) EXPECT_EQ(verdicts_.at(at).failure, Failure::timeout);
  // The places are free again.
  reply_.after = 0ms;
  EXPECT_EQ(ask("afterwards").failure, Failure::none);
}

TEST_F(Desks, WhenTheCallerLeavesNobodyWaits) {
  config_.timeout = 20s;
  reply_.after = 10s;
  net::CancelSource caller;
  const auto began = clock_.steady();
  loop_.spawn(ask_one(*this, "a", &caller, 1));
  loop_.post([&] { caller.cancel(); });
  loop_.run();
  EXPECT_EQ(verdicts_.at(0).failure, Failure::cancelled);
  EXPECT_LT(clock_.steady() - began, 5s);
}

}  // namespace
}  // namespace gatehouse::guard
