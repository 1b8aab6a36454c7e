// A desk that asks a model of this process; what the model reads is played by functions here, real
// models are run in tests/e2e/onnx.test.mjs.
#include "guard/local_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include "guard/desk_test_support.h"

namespace gatehouse::guard {
namespace {

using namespace std::chrono_literals;

class LocalModels : public testing::DeskTest {
 protected:
  LocalModels() {
    config_.name = "local";
    config_.type = Type::onnx;
    config_.concurrency = 2;
    config_.waiting = 100;
  }

  std::shared_ptr<LocalModel> model_that(LocalModel::Read read, std::string identity = "model") {
    return std::make_shared<LocalModel>(std::move(read), std::move(identity), config_);
  }
};

onnx::Reading reading_of(double score) {
  return {score, score >= 0.5,
          score >= 0.5 ? std::vector<std::string>{"BAD"} : std::vector<std::string>(), 2, 3};
}

// Reads until it is told to stop.
Result<onnx::Reading> read_for_ever(std::string_view, const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
  return fail(ErrorCode::cancelled, "stopped");
}

TEST_F(LocalModels, VerdictsComeAndAreRememberedByModel) {
  std::atomic<int> read = 0;
  const auto count = [&](double score) {
    return [&read, score](std::string_view, const std::stop_token&) -> Result<onnx::Reading> {
      ++read;
      return reading_of(score);
    };
  };
  const auto model = model_that(count(0.9));
  const Verdict verdict = ask("hello", model);
  EXPECT_TRUE(verdict.flagged);
  EXPECT_EQ(verdict.categories, std::vector<std::string>{"BAD"});
  EXPECT_EQ(verdict.score, 0.9);
  EXPECT_EQ(verdict.windows, 2u);
  EXPECT_EQ(verdict.windows_of, 3u);
  EXPECT_TRUE(ask("hello", model).cached);
  EXPECT_EQ(read, 1);
  // Another file under the same settings is another model.
  EXPECT_FALSE(ask("hello", model_that(count(0.1), "another")).flagged);
  EXPECT_EQ(read, 2);
}

TEST_F(LocalModels, FailuresAreNamedAndNotRemembered) {
  const auto fails = [](ErrorCode code) {
    return [code](std::string_view, const std::stop_token&) -> Result<onnx::Reading> {
      return fail(code, "no");
    };
  };
  EXPECT_EQ(ask("a", model_that(fails(ErrorCode::data_loss))).failure, Failure::unreadable);
  EXPECT_EQ(ask("a", model_that(fails(ErrorCode::resource_exhausted))).failure, Failure::too_long);
  EXPECT_EQ(ask("a").failure, Failure::unreachable);
  config_.text_bytes = 10;
  EXPECT_EQ(ask("far too long", model_that(fails(ErrorCode::internal))).failure, Failure::too_long);
}

TEST_F(LocalModels, ASlowOneFailsInItsTimeAndIsStopped) {
  std::atomic<bool> stopped = false;
  const auto model = model_that([&](std::string_view text, const std::stop_token& stop) {
    auto result = read_for_ever(text, stop);
    stopped = true;
    return result;
  });
  const auto began = clock_.steady();
  EXPECT_EQ(ask("a", model).failure, Failure::timeout);
  EXPECT_GE(clock_.steady() - began, 290ms);
  EXPECT_LT(clock_.steady() - began, 3s);
  while (!stopped) std::this_thread::sleep_for(1ms);  // its thread is free again
}

TEST_F(LocalModels, TheLoopGoesOnWhileAModelReads) {
  config_.timeout = 10s;
  std::latch other_work(1);
  const auto model =
      model_that([&](std::string_view, const std::stop_token&) -> Result<onnx::Reading> {
        other_work.wait();
        return reading_of(0.1);
      });
  loop_.spawn(ask_one(*this, "a", nullptr, 1, model));
  loop_.post([&] { other_work.count_down(); });
  loop_.run();
  EXPECT_EQ(verdicts_.at(0).failure, Failure::none);
}

TEST_F(LocalModels, NoMoreThanItsThreadsReadAndTheRestWaits) {
  config_.timeout = 10s;
  std::atomic<int> active = 0;
  std::atomic<int> most = 0;
  const auto model =
      model_that([&](std::string_view, const std::stop_token&) -> Result<onnx::Reading> {
        const int now = ++active;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
        std::this_thread::sleep_for(10ms);
        --active;
        return reading_of(0.1);
      });
  for (int n = 0; n < 8; ++n)
    loop_.spawn(ask_one(*this, "text " + std::to_string(n), nullptr, 8, model));
  loop_.run();
  for (const Verdict& verdict : verdicts_) EXPECT_EQ(verdict.failure, Failure::none);
  EXPECT_EQ(most, 2);
}

TEST_F(LocalModels, WaitingIsBoundedInNumberAndTime) {
  config_.concurrency = 1;
  config_.waiting = 2;
  const auto model = model_that(read_for_ever);
  for (int n = 0; n < 8; ++n)
    loop_.spawn(ask_one(*this, "text " + std::to_string(n), nullptr, 8, model));
  loop_.run();
  const auto busy = std::ranges::count(verdicts_, Failure::busy, &Verdict::failure);
  EXPECT_GE(busy, 4);
  EXPECT_EQ(busy + std::ranges::count(verdicts_, Failure::timeout, &Verdict::failure), 8);
}

TEST_F(LocalModels, WhenTheCallerLeavesNobodyWaits) {
  config_.timeout = 20s;
  const auto model = model_that(read_for_ever);
  net::CancelSource caller;
  const auto began = clock_.steady();
  loop_.spawn(ask_one(*this, "a", &caller, 1, model));
  loop_.post([&] { caller.cancel(); });
  loop_.run();
  EXPECT_EQ(verdicts_.at(0).failure, Failure::cancelled);
  EXPECT_LT(clock_.steady() - began, 5s);
}

TEST_F(LocalModels, AnAnswerAfterTheLoopIsGoneIsDropped) {
  std::latch gone(1);
  std::latch answered(1);
  const auto model =
      model_that([&](std::string_view, const std::stop_token&) -> Result<onnx::Reading> {
        gone.wait();
        return reading_of(0.1);
      });
  {
    net::Loop loop;
    Desk desk(loop, clock_, nullptr);
    config_.timeout = 20s;
    loop.spawn([](Desk& asked, const Config& config,
                  std::shared_ptr<LocalModel> local) -> net::Task<void> {
      (void)co_await asked.ask(config, {Direction::request, "a", ""}, nullptr, std::move(local));
    }(desk, config_, model));
    loop.post([&] { loop.stop(); });
    loop.run();
  }
  gone.count_down();
  EXPECT_TRUE(model->read("b", {}, [&](Result<onnx::Reading>) { answered.count_down(); }));
  answered.wait();
}

std::string error_of(const std::string& yaml) {
  const auto node = ConfigNode::parse(yaml, "test.yaml");
  EXPECT_TRUE(node.has_value());
  const auto config = read_config(*node);
  return config ? "" : config.error().describe();
}

TEST(OnnxSettings, PathsAreSeenFromTheFolderOfTheConfiguration) {
  const auto node = ConfigNode::parse(
      "{name: g, type: onnx, model: m/model.onnx, tokenizer: /t/tokenizer.json, labels: [SAFE, "
      "BAD], harmful: [BAD], "
      "runtime: lib/libonnxruntime.so, threshold: 0.8, windows: 4, long_texts: refuse, scores: "
      "sigmoid}",
      "test.yaml");
  const auto config = read_config(*node, "/etc/gatehouse");
  ASSERT_TRUE(config.has_value()) << config.error().describe();
  EXPECT_EQ(config->onnx.model, "/etc/gatehouse/m/model.onnx");
  EXPECT_EQ(config->onnx.tokenizer, "/t/tokenizer.json");
  EXPECT_EQ(config->onnx.runtime, "/etc/gatehouse/lib/libonnxruntime.so");
  EXPECT_EQ(config->onnx.threshold, 0.8);
  EXPECT_EQ(config->onnx.windows, 4u);
  EXPECT_TRUE(config->onnx.refuse_longer);
  EXPECT_EQ(config->onnx.scores, onnx::Scores::sigmoid);
  EXPECT_EQ(config->concurrency, 2u);
}

TEST(OnnxSettings, WhatIsWrongIsNamed) {
  const std::string start = "{name: g, type: onnx, ";
  EXPECT_NE(error_of(start + "tokenizer: t, harmful: [a]}").find("model"), std::string::npos);
  EXPECT_NE(error_of(start + "model: m, harmful: [a]}").find("tokenizer"), std::string::npos);
  EXPECT_NE(error_of(start + "model: m, tokenizer: t}").find("harmful"), std::string::npos);
  EXPECT_NE(error_of(start + "model: m, tokenizer: t, harmful: [a], url: 'http://h'}").find("url"),
            std::string::npos);
  EXPECT_NE(
      error_of(start + "model: m, tokenizer: t, harmful: [a], categories: [a]}").find("categories"),
      std::string::npos);
  EXPECT_NE(error_of(start + "model: m, tokenizer: t, harmful: [a], window: 64, overlap: 64}")
                .find("overlap"),
            std::string::npos);
  EXPECT_NE(error_of("{name: g, url: 'http://h', model: m, harmful: [a]}").find("harmful"),
            std::string::npos);
}

}  // namespace
}  // namespace gatehouse::guard
