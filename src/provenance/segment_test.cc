#include "provenance/segment.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "provenance/segment_layout.h"
#include "provenance/test_outputs.h"

namespace gatehouse::provenance {
namespace {

using testing::joined;
using testing::keys_of;
using testing::output_of;
using testing::Prose;

using Outputs = std::vector<std::shared_ptr<const Output>>;

class SegmentTest : public ::testing::Test {
 protected:
  Outputs outputs(std::size_t count, std::uint64_t seed = 1, std::size_t words = 30) {
    Prose prose(seed);
    Outputs all;
    for (std::size_t at = 0; at < count; ++at)
      all.push_back(std::make_shared<const Output>(
          output_of(keys_, joined(prose.words(words + at % words)), seed * 100'000 + at)));
    return all;
  }
  std::shared_ptr<const Segment> write(const Outputs& all, std::uint64_t first = 0) {
    const auto path = write_segment(disk_, folder_.path(), keys_, first, all);
    EXPECT_TRUE(path) << path.error().describe();
    return Segment::open(*path, keys_).value();
  }

  // Everything a segment says, against the outputs it was made from.
  void expect_has(const Segment& segment, const Outputs& all) {
    ASSERT_EQ(segment.outputs(), all.size());
    std::map<Term, std::map<std::uint32_t, std::uint32_t>> terms;
    std::map<Shingle, std::vector<std::uint32_t>> shingles;
    for (std::uint32_t at = 0; at < all.size(); ++at) {
      const auto info = segment.info(at);
      EXPECT_EQ(info.entry, all[at]->entry);
      EXPECT_EQ(info.choice, all[at]->choice);
      EXPECT_EQ(info.model, all[at]->model);
      EXPECT_EQ(info.words, all[at]->fingerprint.words);
      EXPECT_EQ(info.shingles, all[at]->fingerprint.shingles.size());
      for (const auto term : all[at]->fingerprint.terms) ++terms[term][at];
      for (const auto shingle : all[at]->fingerprint.shingles) shingles[shingle].push_back(at);
    }
    for (const auto& [term, having] : terms) {
      const auto list = segment.find_term(term);
      ASSERT_EQ(list.outputs, having.size());
      const bool common =
          all.size() >= common_terms_from && having.size() > all.size() / common_share;
      ASSERT_FALSE(list.listed && common);
      ASSERT_TRUE(list.listed || all.size() >= common_terms_from);
      if (!list.listed) continue;
      std::map<std::uint32_t, std::uint32_t> listed;
      segment.for_each_posting(
          list, [&listed](Segment::Posting posting) { listed[posting.output] = posting.times; });
      ASSERT_EQ(listed, having);
    }
    for (const auto& [shingle, having] : shingles) {
      const auto range = segment.find_shingle(shingle);
      ASSERT_EQ(range.size(), having.size());
      for (std::size_t at = 0; at < having.size(); ++at)
        ASSERT_EQ(segment.output_at(range.begin + at), having[at]);
    }
    EXPECT_EQ(segment.find_shingle(0x1234567890).size(), 0U);
    EXPECT_TRUE(segment.verify());
  }

  const Keys keys_ = keys_of();
  ledger::RealDisk disk_;
  testing::Folder folder_;
};

TEST_F(SegmentTest, SaysWhatItWasMadeFrom) {
  const auto all = outputs(300);
  expect_has(*write(all), all);
}

TEST_F(SegmentTest, OfOneOutputWithoutAnything) {
  const Outputs all{std::make_shared<const Output>(output_of(keys_, "", 1))};
  expect_has(*write(all, 12), all);
}

TEST_F(SegmentTest, MergedSaysTheSame) {
  Outputs all;
  std::vector<std::shared_ptr<const Segment>> parts;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto own = outputs(100 * seed, seed);
    parts.push_back(write(own, all.size()));
    all.insert(all.end(), own.begin(), own.end());
  }
  const auto path = merge_segments(disk_, folder_.path(), keys_, parts).value();
  expect_has(*Segment::open(path, keys_).value(), all);
}

// Large enough for both widths of entries and for terms that are too common to be listed; merged
// twice, so that what was left out once is still counted.
TEST_F(SegmentTest, LargeOnesLeaveOutCommonTerms) {
  Outputs all;
  std::vector<std::shared_ptr<const Segment>> parts;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const auto own = outputs(8'200, seed, 8);
    parts.push_back(write(own, all.size()));
    all.insert(all.end(), own.begin(), own.end());
  }
  const auto path = merge_segments(disk_, folder_.path(), keys_, parts).value();
  const auto merged = Segment::open(path, keys_).value();
  expect_has(*merged, all);
  const auto commonest = keys_.word("w1");
  EXPECT_GT(merged->find_term(static_cast<Term>(commonest)).outputs, all.size() / common_share);
  std::size_t kept = 0;
  std::size_t were = 0;
  for (std::uint32_t at = 0; at < all.size(); ++at) {
    kept += merged->terms(at).size();
    were += all[at]->fingerprint.terms.size();
  }
  EXPECT_LT(kept, were);
}

TEST_F(SegmentTest, DamageIsNoticed) {
  const auto segment = write(outputs(50));
  const std::string path = segment->path();
  const auto put = [&path](std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  };
  put(segment->bytes() / 2);
  EXPECT_FALSE(segment->verify());
  EXPECT_TRUE(Segment::open(path, keys_));  // a few bytes of the body are found by verify() only
  put(20);
  const auto opened = Segment::open(path, keys_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::data_loss);
}

TEST_F(SegmentTest, ACutFileIsRefused) {
  const auto path = write(outputs(50))->path();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(Segment::open(path, keys_).error().code, ErrorCode::data_loss);
}

// Its check can be made right by anybody.
TEST_F(SegmentTest, AForgedHeaderIsRefused) {
  using Header = SegmentFileLayout::Header;
  const auto path = write(outputs(50))->path();
  const auto forge = [&](auto&& change) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    Header header;
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    const auto real = header;
    change(header);
    header.check = header.checked();
    file.seekp(0);
    file.write(reinterpret_cast<const char*>(&header), sizeof(header));
    file.close();
    EXPECT_FALSE(Segment::open(path, keys_));
    std::fstream again(path, std::ios::in | std::ios::out | std::ios::binary);
    again.write(reinterpret_cast<const char*>(&real), sizeof(real));
  };
  forge([](Header& header) { header.bucket_bits = 200; });
  forge([](Header& header) { header.outputs = 0; });
  forge([](Header& header) { header.outputs = ~0u; });
  forge([](Header& header) { header.first = ~0ull; });
  // Around the end of what 64 bits count.
  forge([](Header& header) { header.terms += 1ull << 62u; });
  forge([](Header& header) { header.dictionary += 1ull << 60u; });
  EXPECT_TRUE(Segment::open(path, keys_));
}

TEST_F(SegmentTest, OfAnotherSecretIsRefused) {
  const auto path = write(outputs(5))->path();
  EXPECT_EQ(Segment::open(path, keys_of("another")).error().code, ErrorCode::failed_precondition);
}

}  // namespace
}  // namespace gatehouse::provenance
