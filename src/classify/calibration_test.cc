// p-values: valid on exchangeable scores, never below what all scores would give, the same from the
// file as from memory; bands; what a file may not say.
#include "classify/calibration.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "classify/statistics.h"

namespace gatehouse::classify {
namespace {

constexpr double round_levels[] = {0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0001};

double full_p_value(const std::vector<double>& scores, double score) {
  const auto above = std::ranges::count_if(scores, [&](double one) { return one >= score; });
  return (1 + static_cast<double>(above)) / (1 + static_cast<double>(scores.size()));
}

std::vector<double> random_scores(std::size_t many, std::uint64_t seed, double step = 0) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> scores(many);
  for (double& score : scores) {
    score = normal(engine);
    if (step > 0) score = std::round(score / step) * step;
  }
  return scores;
}

crypto::Digest digest(std::string_view text) {
  return crypto::sha256(bytes_of(text));
}

TEST(ScoreTail, IsNeverBelowTheFullSetAndExactWhereItSaysSo) {
  for (const double step : {0.0, 0.01, 0.5}) {
    const auto scores = random_scores(20'000, 3, step);
    const ScoreTail tail = ScoreTail::of(scores);
    EXPECT_LT(tail.points().size(), 300);
    for (double score : random_scores(2'000, 4, step)) {
      const double full = full_p_value(scores, score);
      const double kept = tail.p_value(score);
      EXPECT_GE(kept, full);
      EXPECT_LE(kept, full * 1.051 + 2e-4);
      if (full * 20'001 <= ScoreTail::exact_ranks && step == 0) EXPECT_EQ(kept, full);
      for (const double level : round_levels) {
        EXPECT_EQ(kept <= level, full <= level) << score << " at " << level;
        EXPECT_EQ(kept < level, full < level) << score << " at " << level;
      }
    }
  }
}

RC_GTEST_PROP(ScoreTail, AgreesWithTheDefinitionWhereAllScoresAreKept, ()) {
  const auto numbers = *rc::gen::suchThat(
      rc::gen::container<std::vector<int>>(rc::gen::inRange(-40, 40)),
      [](const std::vector<int>& list) { return list.size() <= ScoreTail::exact_ranks; });
  const std::vector<double> scores(numbers.begin(), numbers.end());
  const ScoreTail tail = ScoreTail::of(scores);
  for (double score = -41; score <= 41; score += 0.5)
    RC_ASSERT(tail.p_value(score) == full_p_value(scores, score));
}

TEST(ScoreTail, EdgesOfNumbers) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const ScoreTail none = ScoreTail::of({});
  EXPECT_EQ(none.p_value(5), 1);
  EXPECT_EQ(none.smallest_p(), 1);
  const ScoreTail tail = ScoreTail::of({-infinity, 1e30, 0.1, infinity});
  EXPECT_EQ(tail.p_value(infinity), 0.4);
  EXPECT_EQ(tail.p_value(0.1), 0.8);
  EXPECT_EQ(tail.p_value(-infinity), 1);
  EXPECT_EQ(tail.p_value(std::numeric_limits<double>::quiet_NaN()), 0.2);
}

// The promise, proven on scores that are exchangeable by construction: of fresh scores, the
// share with p <= a is within what the sizes of both sets allow. 15 figures with 99.9 % each.
TEST(Calibration, RealisedRatesAreWithinTheIntervalOfThePromisedOnes) {
  std::vector<BenignScore> scores;
  std::mt19937_64 engine(17);
  std::lognormal_distribution<double> length(6, 1.2);
  std::normal_distribution<double> normal;
  const auto draw = [&] {
    const double bytes = std::min(length(engine), 1e6);
    return BenignScore{normal(engine) + std::log(bytes), static_cast<std::uint64_t>(bytes)};
  };
  for (int n = 0; n < 120'000; ++n) scores.push_back(draw());
  const auto head = HeadCalibration::of(scores);
  ASSERT_GE(head.bands().size(), 3);
  for (std::uint64_t experiment = 0; experiment < 5; ++experiment) {
    std::vector<Stratum> strata;
    for (const LengthBand& band : head.bands()) strata.push_back({band.tail.size(), 0});
    std::vector<double> p_values;
    for (int n = 0; n < 60'000; ++n) {
      const BenignScore fresh = draw();
      p_values.push_back(head.p_value(fresh.score, fresh.bytes));
      const auto* band = &head.band_of(fresh.bytes);
      ++strata[static_cast<std::size_t>(band - head.bands().data())].tested;
    }
    for (const double level : {0.01, 0.001, 0.0001}) {
      const auto flagged = static_cast<std::uint64_t>(
          std::ranges::count_if(p_values, [&](double p) { return p <= level; }));
      const bool by_band = level >= head.smallest_band_p();
      const std::vector<Stratum> together = {{head.size(), 60'000}};
      const CountRange range = promised_flags(by_band ? strata : together, level, 0.999);
      if (by_band) EXPECT_GE(flagged, range.low) << level;
      EXPECT_LE(flagged, range.high) << level;
      EXPECT_LT(range.high, range.expected * 3 + 12) << "an interval that says something";
    }
  }
}

// Without bands the long texts of this population would be flagged ten times as often.
TEST(Calibration, EachLengthKeepsThePromiseByItself) {
  std::mt19937_64 engine(19);
  std::normal_distribution<double> normal;
  const auto draw = [&](std::uint64_t bytes) {
    return BenignScore{normal(engine) + (bytes > 1'000 ? 2.0 : 0.0), bytes};
  };
  std::vector<BenignScore> scores;
  for (int n = 0; n < 40'000; ++n) scores.push_back(draw(n % 4 == 0 ? 5'000 : 200));
  const auto rate_of_long = [&](const HeadCalibration& head) {
    int flagged = 0;
    for (int n = 0; n < 20'000; ++n) flagged += head.p_value(draw(5'000).score, 5'000) <= 0.01;
    return flagged / 20'000.0;
  };
  EXPECT_NEAR(rate_of_long(HeadCalibration::of(scores, 5'000)), 0.01, 0.004);
  EXPECT_GT(rate_of_long(HeadCalibration::of(scores, 40'000)), 0.03);
}

// Below what the smallest band can say, all lengths together decide; above, each band by itself.
TEST(Calibration, BelowWhatABandCanSayAllScoresDecide) {
  std::vector<BenignScore> scores;
  for (int n = 0; n < 10'000; ++n) scores.push_back({n / 10'000.0, n % 4 == 0 ? 5'000u : 100u});
  const auto head = HeadCalibration::of(scores, 1'000);
  ASSERT_EQ(head.bands().size(), 2);
  const double r = head.smallest_band_p();
  for (const std::uint64_t bytes : {100ull, 5'000ull}) {
    EXPECT_EQ(head.p_value(2, bytes), 1 / 10'001.0);
    double last = 1;
    for (double score = 0; score < 1.001; score += 0.0001) {
      const double p = head.p_value(score, bytes);
      const double in_band = head.band_of(bytes).tail.p_value(score);
      EXPECT_LE(p, last);
      if (in_band > r) {
        EXPECT_EQ(p, in_band);
      } else {
        EXPECT_EQ(p, std::min(r, head.all().p_value(score)));
      }
      last = p;
    }
  }
}

TEST(Calibration, BandsHaveEnoughScoresAndCoverEveryLength) {
  std::vector<BenignScore> scores;
  for (std::uint64_t bytes = 0; bytes < 3'000; ++bytes) scores.push_back({0, bytes});
  const auto head = HeadCalibration::of(scores, 500);
  EXPECT_EQ(head.size(), 3'000);
  EXPECT_GT(head.bands().size(), 1);
  EXPECT_LE(head.bands().size(), HeadCalibration::most_bands);
  EXPECT_EQ(head.bands().front().from_bytes, 0);
  for (const LengthBand& band : head.bands()) EXPECT_GE(band.tail.size(), 500);
  EXPECT_EQ(&head.band_of(~0ull), &head.bands().back());
  EXPECT_EQ(HeadCalibration::of(scores, 10'000).bands().size(), 1);
  EXPECT_EQ(HeadCalibration::of({}, 10).bands().size(), 1);
  EXPECT_EQ(HeadCalibration::of({}, 10).p_value(3, 100), 1);
}

Calibration example() {
  std::vector<BenignScore> scores;
  const auto values = random_scores(9'000, 5);
  for (std::size_t n = 0; n < values.size(); ++n) scores.push_back({values[n], 30 + n});
  return *Calibration::make("injection-1", digest("model"), "9,000 invented scores",
                            {{"jailbreak", HeadCalibration::of(scores, 1'000)},
                             {"injection", HeadCalibration::of({}, 1'000)}});
}

TEST(Calibration, TheFileSaysTheSame) {
  const Calibration made = example();
  const auto read = Calibration::parse(made.serialize());
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(*read, made);
  EXPECT_EQ(read->serialize(), made.serialize());
  ASSERT_TRUE(read->head("jailbreak"));
  EXPECT_FALSE(read->head("other"));
  EXPECT_LT(made.serialize().size(), 40'000);
}

TEST(Calibration, OfAnotherModelIsRefused) {
  const Calibration calibration = example();
  EXPECT_TRUE(calibration.check_made_for("injection-1", digest("model")));
  const auto other = calibration.check_made_for("injection-1", digest("another"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::failed_precondition);
  EXPECT_NE(other.error().message.find("inspect calibrate"), std::string::npos);
  EXPECT_FALSE(calibration.check_made_for("injection-3", digest("model")));
}

TEST(Calibration, WhatAFileMayNotSay) {
  const std::string model = "model sha256:" + to_hex(digest("model")) + "\n";
  const std::string head = "gatehouse-calibration 2\ndetector d\n" + model + "source s\n";
  const auto parse = [&](const std::string& rest) { return Calibration::parse(head + rest); };
  const std::string all = "head h\nall 3 2\n0 1.5\n2 -1\n";
  EXPECT_TRUE(parse(all + "band 0 3 2\n0 1.5\n2 -1\nend\n"));
  EXPECT_TRUE(parse(all + "band 0 1 1\n0 1.5\nband 64 2 1\n0 0\nend\n"));
  for (const std::string& rest : std::vector<std::string>{
           "",
           "end\n",
           "head h\nend\n",
           all + "end\n",
           "head h\nband 0 3 1\n0 1.5\nend\n",
           all + "band 0 3 2\n0 1.5\nend\n",
           all + "band 0 3 2\n0 1.5\n2 -1\nend",
           all + "band 0 3 2\n0 1.5\n2 -1\nend\nmore\n",
           all + "band 1 3 1\n0 1.5\nend\n",         // does not begin at 0
           all + "band 0 2 1\n0 1.5\nend\n",         // fewer than all
           all + "band 0 3 2\n0 1.5\n3 -1\nend\n",   // more above than there are
           all + "band 0 3 2\n1 1.5\n2 -1\nend\n",   // the highest score is missing
           all + "band 0 3 2\n0 1.5\n2 1.5\nend\n",  // scores do not fall
           all + "band 0 3 2\n0 nan\n2 1.5\nend\n",
           all + "band 0 3 2\n0 1.50\n2 1\nend\n",
           all + "band 0 03 1\n0 1.5\nend\n",
           all + "band 0 0 1\n0 1.5\nend\n",
           all + "band 0 3 0\nend\n",
           all + "band 0 3 99999\nend\n",
           all + "band 0 3 1 1\n0 1.5\nend\n",
           all + "band 0 3\n0 1.5\nend\n",
           "head h\nall 9999999999999 1\n0 1.5\nband 0 9999999999999 1\n0 1.5\nend\n",
           "head H\nall 3 1\n0 1.5\nband 0 3 1\n0 1.5\nend\n",
           all + "band 0 3 1\n0 1.5\n" + all + "band 0 3 1\n0 1.5\nend\n",
           all + "band 0 2 1\n0 1.5\nband 0 1 1\n0 1.5\nend\n"}) {
    const auto result = parse(rest);
    EXPECT_FALSE(result) << rest;
    if (!result) EXPECT_FALSE(result.error().message.empty());
  }
  EXPECT_FALSE(Calibration::parse("gatehouse-calibration 2\n"));
  EXPECT_FALSE(Calibration::parse(std::string(Calibration::most_bytes + 1, 'x')));
  EXPECT_FALSE(Calibration::make("d", digest(""), "two\nlines", {{"h", HeadCalibration::of({})}}));
}

}  // namespace
}  // namespace gatehouse::classify
