#include "ledger/wal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <random>

#include "ledger/tile.h"

namespace gatehouse::ledger {
namespace {

const Digest log_id = leaf_hash("log");
const Digest salt = leaf_hash("salt");

std::string frame_of(std::uint64_t first, const std::vector<std::string>& entries,
                     std::uint64_t durable) {
  std::string payload;
  std::vector<Digest> leaves;
  for (const std::string& entry : entries) {
    append_to_bundle(payload, entry);
    leaves.push_back(leaf_hash(entry));
  }
  std::string frame = encode_frame_header(salt, first, durable, payload.size(), leaves) + payload;
  frame.resize(frame_bytes(payload.size()), '\0');
  return frame;
}

std::string frame_of(std::uint64_t first, const std::vector<std::string>& entries) {
  return frame_of(first, entries, first);
}

std::string segment_of(std::uint64_t first, const std::vector<std::string>& frames) {
  std::string out = encode(SegmentHeader{
      .first = first, .segment_bytes = min_segment_bytes, .log_id = log_id, .salt = salt});
  for (const std::string& frame : frames) out += frame;
  out.resize(min_segment_bytes, '\0');
  return out;
}

TEST(Wal, SegmentNames) {
  EXPECT_EQ(segment_name(1234), "00000000000000001234.wal");
  EXPECT_EQ(parse_segment_name("00000000000000001234.wal"), 1234u);
  for (const char* bad : {"", "1234.wal", "0000000000000000123x.wal", "00000000000000001234.log",
                          "99999999999999999999.wal", "000000000000000001234.wal", "next"}) {
    EXPECT_FALSE(parse_segment_name(bad)) << bad;
  }
}

TEST(Wal, HeaderRoundTripAndEveryFlippedBit) {
  const SegmentHeader header{
      .first = 77, .segment_bytes = 1u << 20, .log_id = log_id, .salt = salt};
  std::string bytes = encode(header);
  ASSERT_EQ(bytes.size(), segment_header_bytes);
  const auto parsed = parse_segment_header(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->first, 77u);
  EXPECT_EQ(parsed->salt, salt);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(parse_segment_header(bytes)) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  EXPECT_FALSE(parse_segment_header(bytes.substr(1)));
}

TEST(Wal, FramesRoundTrip) {
  EXPECT_TRUE(rc::check("what was written is read", [] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    std::mt19937 random(seed);
    std::vector<std::string> frames;
    std::vector<std::string> expected;
    for (unsigned group = random() % 20; group > 0; --group) {
      std::vector<std::string> entries;
      for (unsigned i = 1 + random() % 10; i > 0; --i) {
        entries.emplace_back(1 + random() % 300, static_cast<char>(random()));
      }
      frames.push_back(frame_of(5 + expected.size(), entries));
      expected.insert(expected.end(), entries.begin(), entries.end());
    }
    const std::string bytes = segment_of(5, frames);
    const auto segment = parse_segment(bytes, log_id);
    RC_ASSERT(segment.has_value());
    RC_ASSERT(segment->state == SegmentEnd::clean);
    RC_ASSERT(segment->end == 5 + expected.size());
    std::vector<std::string> found;
    for (const Frame& frame : segment->frames) {
      found.insert(found.end(), frame.entries.begin(), frame.entries.end());
    }
    RC_ASSERT(found == expected);
  }));
}

TEST(Wal, ABrokenLastFrameIsTornAndAnEarlierOneIsDamaged) {
  const std::vector<std::string> frames{frame_of(0, {"one", "two"}), frame_of(2, {"three"}),
                                        frame_of(3, {"four", "five", "six"})};
  const std::string good = segment_of(0, frames);
  std::size_t offset = segment_header_bytes;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    for (std::size_t bit = 0; bit < frames[i].size() * 8; ++bit) {
      std::string bad = good;
      bad[offset + bit / 8] = static_cast<char>(bad[offset + bit / 8] ^ (1 << (bit % 8)));
      const auto segment = parse_segment(bad, log_id);
      ASSERT_TRUE(segment);
      EXPECT_EQ(segment->frames.size(), i);
      EXPECT_EQ(segment->state, i + 1 == frames.size() ? SegmentEnd::torn : SegmentEnd::damaged);
      EXPECT_FALSE(segment->problem.message.empty());
    }
    offset += frames[i].size();
  }
}

TEST(Wal, AFrameWrittenTogetherWithTheBrokenOneDoesNotSpeakAgainstIt) {
  // Two frames of one group: the second says that only entries below 2 were durable.
  const std::string second = frame_of(4, {"five"}, 2);
  std::string bytes =
      segment_of(0, {frame_of(0, {"one", "two"}), frame_of(2, {"three", "four"}, 2), second});
  bytes[segment_header_bytes + frame_bytes(10) + frame_header_bytes] ^= 1;
  const auto segment = parse_segment(bytes, log_id);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->end, 2u);
  EXPECT_EQ(segment->state, SegmentEnd::torn);
}

TEST(Wal, ForgedFramesInsideEntriesAreNotTakenForFrames) {
  // An entry that looks like a later frame, by somebody who does not know the salt.
  const Digest guess = leaf_hash("guess");
  const std::vector<Digest> leaves{leaf_hash("x")};
  std::string payload;
  append_to_bundle(payload, "x");
  std::string forged = encode_frame_header(guess, 900, 900, payload.size(), leaves) + payload;
  std::string entry(62, 'p');  // brings what follows to a multiple of 64
  entry += forged + std::string(64, '\0');
  std::string bytes = segment_of(0, {frame_of(0, {"a"}), frame_of(1, {entry})});
  bytes[segment_header_bytes + frame_bytes(3) + 33] ^= 1;  // the second frame's digest
  const auto segment = parse_segment(bytes, log_id);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->state, SegmentEnd::torn);
}

TEST(Wal, TailMustBeZero) {
  const std::string good = segment_of(0, {frame_of(0, {"one"})});
  for (std::size_t at : {segment_header_bytes + frame_bytes(5), good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = 1;
    EXPECT_NE(parse_segment(bad, log_id)->state, SegmentEnd::clean);
  }
  EXPECT_EQ(parse_segment(good, log_id)->state, SegmentEnd::clean);
  EXPECT_FALSE(parse_segment(good.substr(0, good.size() - 1), log_id));
  EXPECT_FALSE(parse_segment(good, leaf_hash("another log")));
}

}  // namespace
}  // namespace gatehouse::ledger
