#include "vault/format.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "vault/envelope.h"
#include "vault/order.h"
#include "vault/test_vault.h"

namespace gatehouse::vault {
namespace {

using testing::ring_of;

SegmentHeader segment() {
  SegmentHeader header{.number = 7, .created = 1'790'000'000'000'000, .vault = {}};
  header.vault[3] = std::byte{9};
  return header;
}

FrameHeader frame() {
  FrameHeader header;
  header.which = Which::answer;
  header.truncated = true;
  header.subjects = 3;
  header.time = 1'790'000'000'123'456;
  header.id = testing::id_of(42);
  header.entry = 11;
  header.sealed_bytes = 128;
  header.original_bytes = 5'000;
  header.durable = 4'096;
  return header;
}

// Every single flipped bit of a text is refused by `parse`, or does not give what the text said.
template <class Parse>
void expect_every_bit_counts(const std::string& text, Parse parse) {
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(parse(changed)) << "bit " << bit;
  }
}

TEST(Format, HeadersComeBackAndEveryBitCounts) {
  for (const auto kind : {FileKind::segment, FileKind::keys}) {
    const auto bytes = encode(segment(), kind);
    EXPECT_EQ(bytes.size(), kind == FileKind::segment ? segment_header_bytes : keys_header_bytes);
    const auto parsed = parse_segment_header(bytes, kind);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->number, 7u);
    EXPECT_EQ(parsed->created, segment().created);
    EXPECT_EQ(parsed->vault, segment().vault);
    expect_every_bit_counts(
        bytes, [&](const auto& text) { return parse_segment_header(text, kind).has_value(); });
  }
}

TEST(Format, FramesComeBackAndEveryBitCounts) {
  const auto bytes = encode(frame(), segment());
  ASSERT_EQ(bytes.size(), frame_header_bytes);
  const auto parsed = parse_frame_header(bytes, segment());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->which, Which::answer);
  EXPECT_TRUE(parsed->truncated);
  EXPECT_EQ(parsed->subjects, 3);
  EXPECT_EQ(parsed->time, frame().time);
  EXPECT_EQ(parsed->id, frame().id);
  EXPECT_EQ(parsed->entry, 11u);
  EXPECT_EQ(parsed->kept_bytes(), 100u);
  EXPECT_EQ(parsed->original_bytes, 5'000u);
  EXPECT_EQ(parsed->durable, 4'096u);
  EXPECT_EQ(parsed->body_bytes(), 192u);  // 48 + 128, padded
  expect_every_bit_counts(
      bytes, [](const auto& text) { return parse_frame_header(text, segment()).has_value(); });
  auto elsewhere = segment();
  elsewhere.number = 8;
  EXPECT_FALSE(parse_frame_header(bytes, elsewhere)) << "a frame means nothing in another segment";
}

TEST(Format, ClosingsComeBackAndEveryBitCounts) {
  const Closing closing{
      .records = 5, .latest = 99, .first_id = testing::id_of(1), .last_id = testing::id_of(8)};
  const auto bytes = encode(closing, segment());
  ASSERT_EQ(bytes.size(), closing_bytes);
  const auto parsed = parse_closing(bytes, segment());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->records, 5u);
  EXPECT_EQ(parsed->latest, 99u);
  EXPECT_EQ(parsed->last_id, testing::id_of(8));
  expect_every_bit_counts(
      bytes, [](const auto& text) { return parse_closing(text, segment()).has_value(); });
}

TEST(Format, NamesOfFiles) {
  EXPECT_EQ(file_name(7, FileKind::segment), "00000000000000000007.seg");
  EXPECT_EQ(parse_file_name("00000000000000000007.seg", FileKind::segment), 7u);
  EXPECT_FALSE(parse_file_name("00000000000000000007.seg", FileKind::keys));
  EXPECT_FALSE(parse_file_name("7.seg", FileKind::segment));
  EXPECT_FALSE(parse_file_name("0000000000000000000x.seg", FileKind::segment));
}

TEST(Format, RecordIdsAreUuids) {
  const std::string uuid = "01990a0b-0c0d-7e0f-8a1b-2c3d4e5f6a7b";
  EXPECT_EQ(to_string(parse_record_id(uuid).value()), uuid);
  EXPECT_FALSE(parse_record_id("01990a0b"));
  EXPECT_FALSE(parse_record_id("../../etc/passwd"));
}

TEST(Envelope, ASlotOpensOnlyWhereItBelongs) {
  SeededRandom random(1);
  const auto secrets = RecordSecrets::make(random);
  const auto ring = ring_of("one key of thirty-two bytes or so");
  const auto slot = wrap(ring.current, secrets, frame(), segment(), random);
  ASSERT_EQ(slot.size(), slot_bytes);
  const auto opened = unwrap(ring, slot, frame(), segment());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->data_key.bytes(), secrets.data_key.bytes());
  EXPECT_EQ(opened->salt.bytes(), secrets.salt.bytes());
  expect_every_bit_counts(
      slot, [&](const auto& text) { return unwrap(ring, text, frame(), segment()).has_value(); });

  auto other_entry = frame();
  other_entry.entry = 12;
  EXPECT_FALSE(unwrap(ring, slot, other_entry, segment()));
  auto other_record = frame();
  other_record.which = Which::request;
  EXPECT_FALSE(unwrap(ring, slot, other_record, segment()));
  auto other_segment = segment();
  other_segment.number = 9;
  EXPECT_FALSE(unwrap(ring, slot, frame(), other_segment));
  const auto stranger = unwrap(ring_of("another key"), slot, frame(), segment());
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, ErrorCode::failed_precondition);
}

TEST(Envelope, TheIdentityComesBackAndEveryBitCounts) {
  SeededRandom random(2);
  const auto ring = ring_of("one");
  const auto identity = Identity::make(ring.current, random);
  const auto bytes = encode(identity, ring.current, random);
  const auto parsed = parse_identity(bytes, ring);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->vault, identity.vault);
  EXPECT_EQ(parsed->index.bytes(), identity.index.bytes());
  expect_every_bit_counts(bytes,
                          [&](const auto& text) { return parse_identity(text, ring).has_value(); });
  const auto stranger = parse_identity(bytes, ring_of("two"));
  ASSERT_FALSE(stranger);
  EXPECT_TRUE(stranger.error().message.contains("vault.old_key"));
  EXPECT_TRUE(parse_identity(bytes, ring_of("two", {"one"})));
}

TEST(Envelope, OnePersonHasOneForm) {
  EXPECT_EQ(canonical_subject(" Ada.Byron@Example.ORG\n"), "ada.byron@example.org");
  EXPECT_EQ(canonical_subject("+44 (20) 7946-0958"), "442079460958");
  EXPECT_EQ(canonical_subject("GB82 WEST 1234"), "gb82west1234");
  EXPECT_EQ(canonical_subject(" -. "), "");
}

// Randomly damaged texts must be refused; whole ones come back.
TEST(Orders, HoldsComeBackAndEveryBitCounts) {
  Hold hold{.id = "01990a0b-0c0d-7e0f-8a1b-2c3d4e5f6a7b",
            .by_subject = true,
            .record = {},
            .subject = {},
            .since = "2026-11-23T17:43:50.123456Z",
            .actor = "cli:ada",
            .reason = "case 12/26,\nas the court says"};
  hold.subject[0] = std::byte{1};
  Hold other = hold;
  other.by_subject = false;
  other.record = testing::id_of(3);
  const auto text = encode(std::vector<Hold>{hold, other});
  const auto parsed = parse_holds(text);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2u);
  EXPECT_EQ(parsed->at(0).reason, hold.reason);
  EXPECT_EQ(parsed->at(0).subject, hold.subject);
  EXPECT_EQ(parsed->at(1).record, other.record);
  expect_every_bit_counts(text, [](const auto& bad) { return parse_holds(bad).has_value(); });
  EXPECT_TRUE(parse_holds(encode(std::vector<Hold>())));
}

TEST(Orders, OrdersComeBackAndEveryBitCounts) {
  const auto order = testing::erase_order({testing::id_of(1), testing::id_of(2)});
  const auto text = encode(order);
  const auto parsed = parse_order(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->records, order.records);
  EXPECT_EQ(parsed->event, order.event);
  expect_every_bit_counts(text, [](const auto& bad) { return parse_order(bad).has_value(); });

  Order prune = order;
  prune.kind = Order::Kind::prune;
  prune.segment = 12;
  EXPECT_EQ(parse_order(encode(prune)).value().segment, 12u);
}

}  // namespace
}  // namespace gatehouse::vault
