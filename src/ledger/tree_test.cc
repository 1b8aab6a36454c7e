// The tree as it lies on disk, against a tree computed from the entries by the definition alone.
#include <gtest/gtest.h>

#include "ledger/log_files.h"
#include "ledger/memory_log.h"
#include "ledger/tree_edge.h"

namespace gatehouse::ledger {
namespace {

// RFC 6962 section 2.1, by its own words.
Digest defined_root(std::span<const Digest> leaves) {
  if (leaves.empty()) return crypto::sha256(Bytes{});
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(defined_root(leaves.first(k)), defined_root(leaves.subspan(k)));
}

// tlog-tiles: the hashes of level l + 1 are the roots of the full tiles of level l.
std::vector<std::vector<Digest>> defined_levels(std::span<const Digest> leaves) {
  std::vector<std::vector<Digest>> levels{{leaves.begin(), leaves.end()}};
  while (levels.back().size() >= 256) {
    std::vector<Digest> above;
    for (std::size_t i = 0; i + 256 <= levels.back().size(); i += 256) {
      above.push_back(defined_root(std::span(levels.back()).subspan(i, 256)));
    }
    levels.push_back(std::move(above));
  }
  return levels;
}

void expect_tiles(MemoryDisk& disk, std::span<const Digest> leaves) {
  const auto levels = defined_levels(leaves);
  for (unsigned level = 0; level < levels.size(); ++level) {
    const std::span<const Digest> hashes(levels[level]);
    for (std::size_t at = 0; at < hashes.size(); at += 256) {
      const std::size_t width = std::min<std::size_t>(256, hashes.size() - at);
      const TileName name{.level = level, .index = at / 256, .width = static_cast<unsigned>(width)};
      const auto bytes = read_whole(disk, "/log/" + to_path(name), 1u << 20);
      ASSERT_TRUE(bytes) << bytes.error().describe();
      ASSERT_EQ(*bytes, encode_tile(hashes.subspan(at, width))) << to_path(name);
    }
  }
}

void expect_bundle(MemoryDisk& disk, std::uint64_t size) {
  if (size == 0) return;
  const std::uint64_t index = (size - 1) / 256;
  std::string expected;
  for (std::uint64_t i = index * 256; i < size; ++i) append_to_bundle(expected, test_entry(i));
  const TileName name{
      .level = {}, .index = index, .width = static_cast<unsigned>(size - index * 256)};
  EXPECT_EQ(read_whole(disk, "/log/" + to_path(name), 1u << 24).value(), expected);
}

TEST(Tree, TilesProofsAndRootsAtTheSizesThatMatter) {
  MemoryDisk disk;
  auto ledger = open_on(disk).value();
  std::vector<Digest> leaves;
  std::vector<Checkpoint> published;
  const VerifierKey key = test_verifier_key();
  for (std::uint64_t size : {1u, 255u, 256u, 257u, 65'535u, 65'536u, 70'000u}) {
    while (leaves.size() < size) {
      const std::string entry = test_entry(leaves.size());
      leaves.push_back(leaf_hash(entry));
      if (leaves.size() % 4096 == 0) {
        ASSERT_TRUE(ledger->append_and_wait(entry));  // do not overrun the queue
      } else {
        ledger->append(entry, [](Result<std::uint64_t> index) { ASSERT_TRUE(index); });
      }
    }
    ASSERT_TRUE(ledger->checkpoint_now());
    const auto opened = read_checkpoint(disk, "/log/checkpoint", key).value();
    ASSERT_EQ(opened.checkpoint.size, size);
    ASSERT_EQ(opened.checkpoint.root, defined_root(leaves));
    expect_tiles(disk, leaves);
    expect_bundle(disk, size);
    for (std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      const auto receipt = make_receipt(disk, "/log", index);
      ASSERT_TRUE(receipt) << receipt.error().describe();
      EXPECT_TRUE(check_receipt(*receipt, key, test_entry(index)));
      EXPECT_FALSE(check_receipt(*receipt, key, test_entry(index + 1)));
    }
    const Subtrees stored = stored_subtrees(disk, LogPaths("/log"), size);
    for (const Checkpoint& before : published) {
      const auto proof = consistency_proof(before.size, size, stored).value();
      EXPECT_TRUE(check_consistency(before.size, size, before.root, opened.checkpoint.root, proof));
    }
    published.push_back(opened.checkpoint);
  }
  ASSERT_TRUE(ledger->close());
  EXPECT_TRUE(verify_memory(disk));
}

TEST(Tree, EdgeRootIsTheDefinedRootAtEverySize) {
  TreeEdge edge;
  std::vector<Digest> leaves;
  const auto ignore = [](const TileName&, std::span<const Digest>) { return Result<void>(); };
  for (std::uint64_t size = 0; size <= 1100; ++size) {
    ASSERT_EQ(edge.root(), defined_root(leaves)) << size;
    const Digest leaf = leaf_hash(std::to_string(size));
    leaves.push_back(leaf);
    ASSERT_TRUE(edge.add(leaf, ignore));
  }
}

}  // namespace
}  // namespace gatehouse::ledger
