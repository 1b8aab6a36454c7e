#include "provenance/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "provenance/test_outputs.h"

namespace gatehouse::provenance {
namespace {

using testing::joined;
using testing::keys_of;
using testing::output_of;
using testing::Prose;

class IndexTest : public ::testing::Test {
 protected:
  IndexOptions options() {
    IndexOptions options;
    options.directory = folder_.path();
    options.segment_outputs = 16;
    options.merged_at_once = 4;
    return options;
  }
  std::unique_ptr<Index> open() {
    auto index = Index::open(options(), keys_, clock_, random_);
    EXPECT_TRUE(index) << index.error().describe();
    return std::move(*index);
  }
  // Texts number `from` to `to`, 200 words each.
  std::vector<std::string> text(std::uint64_t number) const {
    Prose prose(1'000 + number);
    return prose.words(200);
  }
  void fill(Index& index, std::uint64_t from, std::uint64_t to) {
    for (auto number = from; number < to; ++number)
      ASSERT_TRUE(
          index.add_and_wait(output_of(keys_, joined(text(number)), number, clock_.wall())));
  }
  bool finds(const Index& index, std::uint64_t number, std::string_view asked,
             MatchKind kind = MatchKind::excerpt) {
    const auto expected = testing::id_at(clock_.wall(), number);
    const auto found = index.find(asked, {});
    return std::ranges::any_of(found.matches, [&](const Match& match) {
      return match.entry == expected && match.kind == kind;
    });
  }
  bool finds_all(const Index& index, std::uint64_t to) {
    for (std::uint64_t number = 0; number < to; ++number)
      if (!finds(index, number, joined(text(number), 70, 50))) return false;
    return true;
  }

  const Keys keys_ = keys_of();
  ManualClock clock_{testing::epoch};
  SeededRandom random_{3};
  testing::Folder folder_;
};

TEST_F(IndexTest, FindsAnExcerptAndSaysHowMuch) {
  const auto index = open();
  fill(*index, 0, 100);
  Prose foreign(5);
  const auto asked =
      joined(foreign.words(75)) + joined(text(42), 100, 50) + joined(foreign.words(75));
  const auto found = index->find(asked, {});
  ASSERT_EQ(found.matches.size(), 1U);
  const auto& match = found.matches.front();
  EXPECT_EQ(found.words, 200U);
  EXPECT_EQ(match.entry, testing::id_at(clock_.wall(), 42));
  EXPECT_EQ(match.choice, 0);
  EXPECT_EQ(match.model, "model-2");
  EXPECT_EQ(match.time, clock_.wall());
  EXPECT_EQ(match.words, 200U);
  EXPECT_EQ(match.kind, MatchKind::excerpt);
  EXPECT_NEAR(match.covered, 0.25, 0.04);
  EXPECT_NEAR(found.covered, match.covered, 1e-9);
  EXPECT_NEAR(match.of_output, 0.25, 0.08);
}

// The example of docs/provenance.md: of an index that has next to nothing.
TEST_F(IndexTest, AShortExcerptIsAnExcerpt) {
  const auto index = open();
  const std::string said =
      "The harbour master counted seventeen boats before breakfast and wrote each name into a "
      "green "
      "book, because the storm of the night before had torn three of them from their moorings and "
      "carried them past the lighthouse.";
  ASSERT_TRUE(index->add_and_wait(output_of(keys_, said, 1, clock_.wall())));
  for (
      const std::string_view asked :
      {"As somebody said: the storm of the night before had torn three of them from their moorings "
       "and carried them past the lighthouse. That was long ago.",
       "wrote each name into a green book, because the storm of the night before had torn three of "
       "them from their moorings",
       "The harbour master counted seventeen boats before breakfast and wrote each name into a "
       "green book, because the storm of the night."}) {
    const auto found = index->find(asked, {});
    ASSERT_EQ(found.matches.size(), 1U) << asked;
    EXPECT_EQ(found.matches.front().kind, MatchKind::excerpt) << asked;
  }
}

TEST_F(IndexTest, FindsTheSourcesOfAPatchwork) {
  const auto index = open();
  fill(*index, 0, 60);
  const auto found = index->find(
      joined(text(3), 0, 60) + joined(text(30), 20, 60) + joined(text(57), 100, 60), {});
  EXPECT_EQ(found.matches.size(), 3U);
  EXPECT_GT(found.covered, 0.9);
}

TEST_F(IndexTest, FindsARewrite) {
  const auto index = open();
  fill(*index, 0, 100);
  auto words = text(7);
  Prose other(9);
  // Two of five: no more than three in a row are left.
  for (std::size_t at = 0; at < words.size(); ++at)
    if (at % 5 < 2) words[at] = other.word();
  const auto found = index->find(joined(words), {});
  ASSERT_FALSE(found.matches.empty());
  EXPECT_EQ(found.matches.front().entry, testing::id_at(clock_.wall(), 7));
  EXPECT_EQ(found.matches.front().kind, MatchKind::rewrite);
}

// Of few outputs nothing is known about what is rare: each word of a small vocabulary may be.
TEST_F(IndexTest, FindsARewriteAmongFewOutputs) {
  const auto index = open();
  std::mt19937_64 engine(4);
  const auto said = [&engine] {
    std::vector<std::string> words;
    while (words.size() < 200) words.push_back("word" + std::to_string(engine() % 360));
    return words;
  };
  auto words = said();
  ASSERT_TRUE(index->add_and_wait(output_of(keys_, joined(words), 1, clock_.wall())));
  for (std::uint64_t number = 2; number < 6; ++number)
    ASSERT_TRUE(index->add_and_wait(output_of(keys_, joined(said()), number, clock_.wall())));
  for (std::size_t at = 0; at < words.size(); ++at)
    if (at % 5 < 2) words[at] = "other" + std::to_string(at);
  EXPECT_TRUE(finds(*index, 1, joined(words), MatchKind::rewrite));
  EXPECT_TRUE(index->find(joined(said()), {}).matches.empty());
}

TEST_F(IndexTest, FindsNothingWhereThereIsNothing) {
  const auto index = open();
  EXPECT_TRUE(index->find("some words that nobody said", {}).matches.empty());
  fill(*index, 0, 50);
  for (std::uint64_t number = 500; number < 550; ++number)
    EXPECT_TRUE(index->find(joined(text(number)), {}).matches.empty()) << number;
  EXPECT_TRUE(index->find("", {}).matches.empty());
}

TEST_F(IndexTest, TheNewestOfEqualOutputsComesFirst) {
  const auto index = open();
  for (std::uint64_t number = 0; number < 30; ++number) {
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(index->add_and_wait(output_of(keys_, joined(text(1)), number, clock_.wall())));
  }
  SearchOptions options;
  options.most_matches = 4;
  const auto found = index->find(joined(text(1)), options);
  ASSERT_EQ(found.matches.size(), 4U);
  EXPECT_EQ(found.matches.front().time, clock_.wall());
  EXPECT_EQ(found.matches.back().time, clock_.wall() - std::chrono::seconds(3));
}

TEST_F(IndexTest, MergesAndFindsEverythingAgainAfterwards) {
  {
    const auto index = open();
    fill(*index, 0, 150);
    index->settle();
    const auto stats = index->stats();
    EXPECT_EQ(stats.outputs, 150U);
    EXPECT_EQ(stats.recent, 150U % 16);
    EXPECT_LT(stats.segments, 6U);
    EXPECT_TRUE(finds_all(*index, 150));
    EXPECT_TRUE(index->verify());
  }
  const auto index = open();
  EXPECT_EQ(index->stats().outputs, 150U);
  EXPECT_TRUE(finds_all(*index, 150));
  fill(*index, 150, 170);
  EXPECT_TRUE(finds_all(*index, 170));
}

TEST_F(IndexTest, AnotherProcessMayReadButNotWrite) {
  const auto index = open();
  fill(*index, 0, 40);
  const auto second = Index::open(options(), keys_, clock_, random_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::failed_precondition);
  const auto reader = Index::open_for_reading(options(), keys_, clock_);
  ASSERT_TRUE(reader) << reader.error().describe();
  EXPECT_TRUE(finds_all(**reader, 40));
  EXPECT_FALSE((*reader)->add_and_wait(output_of(keys_, joined(text(1)), 1)));
}

TEST_F(IndexTest, LostAndDamagedSegmentsAreMadeAgain) {
  const auto segments = segments_directory(folder_.path());
  for (const bool damage : {false, true}) {
    {
      const auto index = open();
      if (index->stats().outputs == 0) fill(*index, 0, 150);
      index->settle();
    }
    std::vector<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(segments)) files.push_back(file);
    ASSERT_GT(files.size(), 1U);
    if (damage) {
      std::ofstream(files.front(), std::ios::binary) << "not a segment at all";
    } else {
      std::filesystem::remove(files.front());
    }
    const auto index = open();
    EXPECT_EQ(index->stats().outputs, 150U) << damage;
    EXPECT_TRUE(finds_all(*index, 150)) << damage;
  }
}

// What a crash between a merge and the removal of its parts leaves.
TEST_F(IndexTest, PartsOfAMergedSegmentAreRemoved) {
  ledger::RealDisk disk;
  const auto segments = segments_directory(folder_.path());
  {
    const auto index = open();
    fill(*index, 0, 64);
    index->settle();
  }
  const auto whole = list_segments(disk, segments).value();
  ASSERT_EQ(whole.size(), 1U);
  std::vector<std::shared_ptr<const Output>> part;
  for (std::uint64_t number = 16; number < 32; ++number)
    part.push_back(std::make_shared<const Output>(output_of(keys_, joined(text(number)), number)));
  ASSERT_TRUE(write_segment(disk, segments, keys_, 16, part));
  const auto index = open();
  EXPECT_EQ(index->stats().outputs, 64U);
  EXPECT_EQ(list_segments(disk, segments)->size(), 1U);
}

TEST_F(IndexTest, WhatIsOlderThanTheRetentionIsNotFoundAndPruned) {
  auto index = open();
  fill(*index, 0, 64);
  index->settle();
  const auto day = std::chrono::hours(24);
  clock_.advance(day * 100);
  fill(*index, 64, 80);
  index->settle();
  clock_.advance(day * 100);
  EXPECT_TRUE(index->find(joined(text(5)), {}).matches.empty());
  ASSERT_TRUE(index->prune());
  EXPECT_EQ(index->stats().outputs, 16U);
  index.reset();
  index = open();
  EXPECT_EQ(index->stats().outputs, 80U);  // the journal's only file has them all
}

TEST_F(IndexTest, NothingInTheFilesIsAWord) {
  {
    const auto index = open();
    const std::string said = "unmistakable";
    auto words = text(1);
    for (std::size_t at = 0; at < words.size(); at += 3) words[at] = said;
    for (std::uint64_t number = 0; number < 32; ++number)
      ASSERT_TRUE(index->add_and_wait(output_of(keys_, joined(words), number)));
    index->settle();
  }
  std::size_t files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!file.is_regular_file()) continue;
    ++files;
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(stream)), {});
    EXPECT_EQ(content.find("unmistakable"), std::string::npos) << file.path();
  }
  EXPECT_GT(files, 2U);
}

}  // namespace
}  // namespace gatehouse::provenance
