// The grounding check by a rate of false positives.
#include "validate/grounding_rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gatehouse::validate {
namespace {

const RequestFacts facts{
    .sources = {"The harbour was opened in 1904 by the mayor Alma Reed. It has two basins for "
                "fishing boats. The lighthouse at its end is 31 metres high and was built by Otto "
                "Lind. In winter the northern basin freezes, and boats are moved to the south."},
    .question = "Tell me about the harbour."};

Answer saying(std::string text) {
  return {{{0, std::move(text), {}}}};
}

constexpr const char* supported =
    "Alma Reed, the mayor, opened it in 1904. The lighthouse is 31 metres high and was built by "
    "Otto Lind. When the northern basin freezes in winter, boats are moved to the south.";
constexpr const char* invented =
    "It was founded in 1850 by Captain Ferdinand Moreau. Three railway lines ended at its "
    "warehouses. A museum shows anchors from the Dutch war.";

Outcome checked(CheckOptions options, std::string text) {
  options.kind = CheckKind::grounding;
  const auto check = make_check(options);
  EXPECT_TRUE(check) << check.error().describe();
  return (*check)->run(saying(std::move(text)), facts, {});
}

// Of 99 supported answers one lacks 0.01, one 0.02, and so on.
std::string calibration(std::string_view detector = grounding_detector) {
  std::vector<classify::BenignScore> scores;
  for (int at = 1; at < 100; ++at) scores.push_back({at / 100.0, 200});
  auto head = classify::HeadCalibration::of(scores);
  return classify::Calibration::make(std::string(detector), grounding_digest(), "test",
                                     {{std::string(grounding_head), std::move(head)}})
      ->serialize();
}

TEST(GroundingRate, WhatIsSupportedPassesAndWhatIsInventedFails) {
  EXPECT_EQ(checked({.false_positives = 0.05}, supported).judgement, Judgement::passed);
  const auto outcome = checked({.false_positives = 0.05}, invented);
  EXPECT_EQ(outcome.judgement, Judgement::failed);
  EXPECT_LE(outcome.score, 0.05);
  EXPECT_EQ(outcome.spans.size(), 3U);
  EXPECT_EQ(outcome.detail,
            "0 of 3 sentences supported by the sources; so little is rarer than 0.05 among answers "
            "that are supported");
}

TEST(GroundingRate, GoesByTheCalibrationThatIsGiven) {
  const auto outcome = checked({.false_positives = 0.05, .calibration = calibration()}, invented);
  const Sources sources(facts.sources, facts.question);
  const double lack = ground(saying(invented), sources).lack;
  EXPECT_GT(lack, 0.5);
  // Those that lack as much or more, and the answer itself, of a hundred; rounded up a little.
  EXPECT_NEAR(outcome.score, (101 - std::ceil(100 * lack)) / 100, 0.03);
  EXPECT_EQ(checked({.false_positives = 0.99, .calibration = calibration()}, invented).judgement,
            Judgement::failed);
}

TEST(GroundingRate, NothingToAskAboutPassesAndNoSourcesAreUndecided) {
  EXPECT_EQ(checked({.false_positives = 0.05}, "Yes.").judgement, Judgement::passed);
  CheckOptions options{.kind = CheckKind::grounding, .false_positives = 0.05};
  EXPECT_EQ((*make_check(options))->run(saying(invented), {}, {}).judgement, Judgement::undecided);
}

TEST(GroundingRate, OptionsThatCannotBeKeptAreRefused) {
  for (const CheckOptions& options :
       {CheckOptions{.kind = CheckKind::grounding, .threshold = 0.5, .false_positives = 0.05},
        CheckOptions{.kind = CheckKind::grounding, .false_positives = 1e-6},
        CheckOptions{.kind = CheckKind::grounding, .calibration = calibration()},
        CheckOptions{
            .kind = CheckKind::grounding, .false_positives = 0.05, .calibration = "gatehouse"},
        CheckOptions{.kind = CheckKind::grounding,
                     .false_positives = 0.05,
                     .calibration = calibration("injection-1")},
        CheckOptions{
            .kind = CheckKind::grounding, .false_positives = 0.005, .calibration = calibration()}})
    EXPECT_FALSE(make_check(options));
}

TEST(GroundingRate, TheBuiltInCalibrationIsOfThisDetector) {
  const auto builtin = builtin_grounding_calibration();
  ASSERT_TRUE(builtin) << builtin.error().describe();
  EXPECT_LE(builtin->head(grounding_head)->smallest_band_p(), 0.01);
}

}  // namespace
}  // namespace gatehouse::validate
