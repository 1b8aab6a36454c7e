// Labels, windows and what cannot be loaded. Real models are run in tests/onnx.
#include "onnx/classifier.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "onnx/runtime.h"
#include "onnx/windows.h"

namespace gatehouse::onnx {
namespace {

LabelRule rule_of(std::vector<std::string> labels, std::vector<bool> harmful, Scores scores,
                  double threshold = 0.5) {
  return {std::move(labels), std::move(harmful), scores, threshold};
}

TEST(Judging, SoftmaxAddsUpWhatIsHarmful) {
  const auto rule =
      rule_of({"safe", "jailbreak", "injection"}, {false, true, true}, Scores::softmax);
  const auto reading = judge(rule, {0, 0, 0});
  ASSERT_TRUE(reading.has_value());
  EXPECT_NEAR(reading->score, 2.0 / 3, 1e-12);
  EXPECT_TRUE(reading->harmful);
  EXPECT_EQ(reading->labels.size(), 1u);  // neither reaches the threshold alone: one is named
  EXPECT_FALSE(judge(rule, {5, 0, 0})->harmful);
  EXPECT_EQ(judge(rule, {0, 0, 9})->labels, std::vector<std::string>{"injection"});
  EXPECT_DOUBLE_EQ(judge(rule, {-1e30F, 1e30F, 0})->score, 1);
}

TEST(Judging, SigmoidTakesTheWorst) {
  const auto rule = rule_of({"toxic", "fine", "threat"}, {true, false, true}, Scores::sigmoid, 0.7);
  EXPECT_NEAR(judge(rule, {0, 9, -1})->score, 0.5, 1e-12);
  EXPECT_FALSE(judge(rule, {0, 9, -1})->harmful);
  EXPECT_EQ(judge(rule, {2, 9, 3})->labels, (std::vector<std::string>{"toxic", "threat"}));
}

TEST(Judging, WhatIsNotAReadingFails) {
  const auto rule = rule_of({"safe", "bad"}, {false, true}, Scores::softmax);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinite = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& logits :
       {std::vector<float>{0, nan}, {nan, 0}, {infinite, 0}, {-infinite, 0}, {}, {1}, {1, 2, 3}})
    EXPECT_FALSE(judge(rule, logits).has_value());
}

TEST(ModelConfigs, LabelsInOrderOrNotAtAll) {
  const auto config =
      parse_model_config(R"({"id2label": {"1": "INJECTION", "0": "SAFE"}, "more": 1})");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->labels, (std::vector<std::string>{"SAFE", "INJECTION"}));
  EXPECT_FALSE(config->multi_label);
  EXPECT_TRUE(parse_model_config(
                  R"({"id2label": {"0": "a"}, "problem_type": "multi_label_classification"})")
                  ->multi_label);
  for (const char* text : {"", "[]", "{}", R"({"id2label": {}})", R"({"id2label": {"1": "a"}})",
                           R"({"id2label": {"0": 7}})", R"({"id2label": {"0": ""}})",
                           R"({"id2label": {"x": "a"}})", R"({"id2label": ["a"]})"})
    EXPECT_FALSE(parse_model_config(text).has_value()) << text;
}

TEST(ModelConfigs, WhatAModelHasRoomFor) {
  const auto positions = [](const std::string& more) {
    return parse_model_config(R"({"id2label": {"0": "a"}, "max_position_embeddings": 514, )" +
                              more + "}")
        ->positions;
  };
  EXPECT_EQ(positions(R"("model_type": "bert")"), 514u);
  EXPECT_EQ(positions(R"("model_type": "xlm-roberta", "pad_token_id": 1)"), 512u);
  EXPECT_EQ(positions(R"("model_type": "deberta-v2")"), std::nullopt);
  EXPECT_EQ(parse_model_config(R"({"id2label": {"0": "a"}, "vocab_size": 30522})")->vocabulary,
            30522u);
}

TEST(Windows, SmallTextsAreOne) {
  const WindowPlan plan{.length = 10, .overlap = 3, .most = 4};
  EXPECT_EQ(windows_of(0, plan).size(), 1u);
  EXPECT_EQ(windows_of(10, plan).size(), 1u);
  const auto two = windows_of(11, plan);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].begin, 1u);
  EXPECT_EQ(two[1].end, 11u);
}

TEST(Windows, LongTextsAreReadFromBothEnds) {
  const WindowPlan plan{.length = 10, .overlap = 2, .most = 5};
  const auto windows = windows_of(1'000, plan);
  ASSERT_EQ(windows.size(), 5u);
  EXPECT_EQ(windows[2].end, 26u);
  EXPECT_EQ(windows[3].begin, 982u);
  EXPECT_EQ(windows[4].end, 1'000u);
  EXPECT_EQ(windows_needed(1'000, plan), 125u);
}

RC_GTEST_PROP(Windows, CoverAllWhereTheyMay,
              (std::uint16_t tokens, std::uint8_t more, std::uint8_t overlap, std::uint8_t most)) {
  const WindowPlan plan{
      .length = std::size_t{overlap} + more + 1, .overlap = overlap, .most = 2 + std::size_t{most}};
  const auto windows = windows_of(tokens, plan);
  RC_ASSERT(!windows.empty());
  RC_ASSERT(windows.size() == std::min(windows_needed(tokens, plan), plan.most));
  RC_ASSERT(windows.front().begin == 0);
  RC_ASSERT(windows.back().end == tokens);
  const bool whole = windows_needed(tokens, plan) <= plan.most;
  for (std::size_t at = 0; at < windows.size(); ++at) {
    RC_ASSERT(windows[at].end - windows[at].begin <= plan.length);
    if (tokens >= plan.length) RC_ASSERT(windows[at].end - windows[at].begin == plan.length);
    if (at == 0) continue;
    RC_ASSERT(windows[at].begin > windows[at - 1].begin);
    // No gap, and what two of them share is enough for what lies on the border.
    if (whole) RC_ASSERT(windows[at - 1].end >= windows[at].begin + plan.overlap);
  }
}

TEST(Runtimes, WhatIsNoneIsRefused) {
  const auto missing = Runtime::load("/nowhere/libonnxruntime.so");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("/nowhere/libonnxruntime.so"), std::string::npos);
  const auto other = Runtime::load("libm.so.6");
  ASSERT_FALSE(other.has_value());
  EXPECT_NE(other.error().message.find("not ONNX Runtime"), std::string::npos);
}

TEST(Classifiers, MissingFilesAreNamed) {
  Options options;
  options.tokenizer = "/nowhere/tokenizer.json";
  options.labels = {"a", "b"};
  options.harmful = {"c"};
  EXPECT_NE(Classifier::load(options).error().describe().find("no label \"c\", but: a, b"),
            std::string::npos);
  options.harmful = {"b"};
  EXPECT_NE(Classifier::load(options).error().describe().find("/nowhere/tokenizer.json"),
            std::string::npos);
  options.labels = {"b"};
  EXPECT_NE(Classifier::load(options).error().describe().find("softmax"), std::string::npos);
  options.labels = {};
  EXPECT_NE(Classifier::load(options).error().describe().find("/nowhere/config.json"),
            std::string::npos);
}

}  // namespace
}  // namespace gatehouse::onnx
