// Requests and answers in both directions, and the statuses of tlog-witness in their order.
#include "ledger/witness_protocol.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/test_log.h"

namespace gatehouse::ledger {
namespace {

constexpr std::string_view origin = "log.example/test";

VerifierKey log_key(unsigned char key = 7) {
  return make_verifier_key(origin, test_key(key).public_key());
}

std::vector<Digest> leaves(std::uint64_t size, char variant = 'a') {
  std::vector<Digest> out;
  out.reserve(size);
  for (std::uint64_t i = 0; i < size; ++i) out.push_back(leaf_hash(variant + std::to_string(i)));
  return out;
}

Subtrees subtrees_of(std::vector<Digest> tree) {
  return [tree = std::move(tree)](unsigned height, std::uint64_t index) -> Result<Digest> {
    return root_of(std::span(tree).subspan(index << height, std::size_t{1} << height));
  };
}

std::string note_of(std::uint64_t size, const Digest& root, unsigned char key = 7) {
  const Checkpoint checkpoint{
      .origin = std::string(origin), .size = size, .root = root, .extensions = {}};
  return sign_checkpoint(checkpoint, log_key(key), test_key(key));
}

AddCheckpointRequest request(std::uint64_t from, std::uint64_t to, char variant = 'a') {
  const auto tree = leaves(to, variant);
  AddCheckpointRequest out{.old_size = from, .proof = {}, .checkpoint = {}};
  if (from > 0 && from <= to) out.proof = consistency_proof(from, to, subtrees_of(tree)).value();
  out.checkpoint = note_of(to, root_of(tree));
  return out;
}

WitnessedHead head(std::uint64_t size) {
  return {.size = size, .root = root_of(leaves(size))};
}

int status(const AddCheckpointRequest& request, const WitnessedHead& latest) {
  const auto key = log_key();
  return judge_add_checkpoint(request, std::span(&key, 1), latest).status;
}

// The body in tlog-witness.md.
TEST(WitnessProtocol, ReadsTheRequestOfTheSpecification) {
  const std::string body =
      "old 20852014\n"
      "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
      "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
      "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
      "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
      "\n"
      "example.com/behind-the-sofa\n"
      "20852163\n"
      "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
      "\n"
      "— example.com/behind-the-sofa "
      "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
      "\n"
      "— example.com/behind-the-sofa "
      "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q="
      "\n";
  const auto parsed = parse_add_checkpoint(body);
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->old_size, 20'852'014u);
  EXPECT_EQ(parsed->proof.size(), 4u);
  EXPECT_EQ(origin_of(*parsed).value(), "example.com/behind-the-sofa");
  EXPECT_EQ(to_string(*parsed), body);
}

TEST(WitnessProtocol, RefusesWhatIsNotARequest) {
  const std::string good = to_string(request(2, 5));
  ASSERT_TRUE(parse_add_checkpoint(good));
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string body = good;
    const std::size_t at = body.find(from);
    ASSERT_NE(at, std::string::npos);
    body.replace(at, from.size(), to);
    EXPECT_FALSE(parse_add_checkpoint(body)) << from << " -> " << to;
  };
  refused("old 2\n", "");
  refused("old 2\n", "old 02\n");
  refused("old 2\n", "old  2\n");
  refused("old 2\n", "old -2\n");
  refused("old 2\n", "old 18446744073709551616\n");
  refused("old 2\n", "Old 2\n");
  refused("old 2\n", "old 2\r\n");
  refused("=\n", "\n");
  refused("\n\n", "\n");
  refused("\n5\n", "\n05\n");
  EXPECT_FALSE(parse_add_checkpoint(""));
  EXPECT_FALSE(parse_add_checkpoint("old 0\n\n"));
  EXPECT_FALSE(parse_add_checkpoint(std::string(max_add_checkpoint_bytes + 1, 'x')));
  for (std::size_t length = 0; length < good.size(); ++length) {
    ASSERT_FALSE(parse_add_checkpoint(good.substr(0, length))) << length;
  }
}

TEST(WitnessProtocol, AtMostSixtyThreeProofLines) {
  AddCheckpointRequest long_proof = request(2, 5);
  long_proof.proof.assign(63, Digest{});
  EXPECT_TRUE(parse_add_checkpoint(to_string(long_proof)));
  long_proof.proof.emplace_back();
  EXPECT_FALSE(parse_add_checkpoint(to_string(long_proof)));
}

TEST(WitnessProtocol, AcceptsGrowthFromAnySizeToAny) {
  for (std::uint64_t from = 0; from <= 40; ++from) {
    for (std::uint64_t to = from; to <= 40; ++to) {
      ASSERT_EQ(status(request(from, to), head(from)), 200) << from << " to " << to;
    }
  }
}

TEST(WitnessProtocol, UnknownLogsAndBadSignatures) {
  EXPECT_EQ(judge_add_checkpoint(request(0, 3), {}, {}).status, 404);
  const auto other = log_key(8);
  EXPECT_EQ(judge_add_checkpoint(request(0, 3), std::span(&other, 1), {}).status, 403)
      << "no signature by a trusted key";
  // One that claims the trusted key and does not hold, beside one that holds.
  AddCheckpointRequest forged = request(0, 3);
  Note note = parse_note(forged.checkpoint).value();
  note.signatures.push_back(note.signatures.front());
  note.signatures.back().signature[3] ^= 1;
  forged.checkpoint = to_string(note);
  EXPECT_EQ(status(forged, {}), 403);
  // A signature by an unknown key is passed over and not kept.
  note.signatures.back().key_id ^= 1;
  forged.checkpoint = to_string(note);
  const auto key = log_key();
  const auto verdict = judge_add_checkpoint(forged, std::span(&key, 1), {});
  EXPECT_EQ(verdict.status, 200);
  EXPECT_EQ(verdict.log_signatures.size(), 1u);
}

TEST(WitnessProtocol, SizesThatDoNotFit) {
  AddCheckpointRequest larger = request(3, 3);
  larger.old_size = 4;
  EXPECT_EQ(status(larger, head(4)), 400) << "old is larger than the checkpoint";
  EXPECT_EQ(status(request(0, 9), head(5)), 409);
  EXPECT_EQ(status(request(4, 9), head(5)), 409);
  EXPECT_EQ(status(request(3, 3), head(5)), 409) << "a log that was rolled back";
  EXPECT_EQ(status(request(5, 9), {}), 409) << "never cosigned: 0";
}

TEST(WitnessProtocol, ForksAndBadProofs) {
  EXPECT_EQ(status(request(5, 5, 'b'), head(5)), 422) << "same size, other root";
  EXPECT_EQ(status(request(5, 9, 'b'), head(5)), 422) << "forked below";
  AddCheckpointRequest changed = request(5, 9);
  changed.proof[0][0] ^= std::byte{1};
  EXPECT_EQ(status(changed, head(5)), 422);
  AddCheckpointRequest shortened = request(5, 9);
  shortened.proof.pop_back();
  EXPECT_EQ(status(shortened, head(5)), 422);
  AddCheckpointRequest lengthened = request(5, 9);
  lengthened.proof.emplace_back();
  EXPECT_EQ(status(lengthened, head(5)), 422);
  AddCheckpointRequest from_nothing = request(0, 9);
  from_nothing.proof.emplace_back();
  EXPECT_EQ(status(from_nothing, {}), 422) << "a proof from size 0";
  AddCheckpointRequest same = request(5, 5);
  same.proof.emplace_back();
  EXPECT_EQ(status(same, head(5)), 422);
  AddCheckpointRequest empty = request(0, 0);
  EXPECT_EQ(status(empty, {}), 200);
  empty.checkpoint = note_of(0, leaf_hash("x"));
  EXPECT_EQ(status(empty, {}), 422) << "size 0 with another root than the empty tree's";
}

TEST(WitnessProtocol, AnswersReadBack) {
  EXPECT_EQ(parse_known_size(known_size_body(0)).value(), 0u);
  EXPECT_EQ(parse_known_size(known_size_body(20'852'163)).value(), 20'852'163u);
  for (const char* bad : {"", "5", "5\n\n", "05\n", "-1\n", "x\n", "5 \n", "9999999999999999999\n"})
    EXPECT_FALSE(parse_known_size(bad)) << bad;
  EXPECT_EQ(origin_hash("example.com/behind-the-sofa").size(), 64u);
  EXPECT_EQ(origin_hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const Note note = parse_note(request(0, 1).checkpoint).value();
  const std::string lines = to_string(note.signatures[0]) + to_string(note.signatures[0]);
  EXPECT_EQ(parse_note_signatures(lines)->size(), 2u);
  EXPECT_FALSE(parse_note_signatures(""));
  EXPECT_FALSE(parse_note_signatures(lines.substr(0, lines.size() - 1)));
  EXPECT_FALSE(parse_note_signatures("\n" + lines));
}

}  // namespace
}  // namespace gatehouse::ledger
