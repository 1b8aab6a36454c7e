#include "ledger/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/text.h"

namespace gatehouse::ledger {
namespace {

// The definitions of RFC 6962 section 2.1, word for word and slow.
Digest brute_root(std::span<const Digest> leaves) {
  if (leaves.empty()) return crypto::sha256(Bytes{});
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(brute_root(leaves.subspan(0, k)), brute_root(leaves.subspan(k)));
}

std::vector<Digest> brute_path(std::size_t m, std::span<const Digest> leaves) {
  if (leaves.size() <= 1) return {};
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  auto path = m < k ? brute_path(m, leaves.subspan(0, k)) : brute_path(m - k, leaves.subspan(k));
  path.push_back(m < k ? brute_root(leaves.subspan(k)) : brute_root(leaves.subspan(0, k)));
  return path;
}

std::vector<Digest> brute_subproof(std::size_t m, std::span<const Digest> leaves, bool whole) {
  if (m == leaves.size()) {
    return whole ? std::vector<Digest>{} : std::vector<Digest>{brute_root(leaves)};
  }
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  if (m <= k) {
    auto proof = brute_subproof(m, leaves.subspan(0, k), whole);
    proof.push_back(brute_root(leaves.subspan(k)));
    return proof;
  }
  auto proof = brute_subproof(m - k, leaves.subspan(k), false);
  proof.push_back(brute_root(leaves.subspan(0, k)));
  return proof;
}

std::vector<Digest> some_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash("entry " + std::to_string(i)));
  return leaves;
}

Subtrees over(const std::vector<Digest>& leaves) {
  return [&leaves](unsigned height, std::uint64_t index) -> Result<Digest> {
    const std::size_t width = std::size_t{1} << height;
    if ((index + 1) * width > leaves.size())
      return fail(ErrorCode::not_found, "incomplete subtree");
    return brute_root(std::span(leaves).subspan(index * width, width));
  };
}

TEST(Merkle, KnownRoots) {
  std::vector<Digest> leaves;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(leaf_hash(*from_hex(hex)));
  }
  EXPECT_EQ(to_base64(empty_root()), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(to_base64(root_of(std::span(leaves).first(1))),
            "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
  EXPECT_EQ(to_base64(root_of(leaves)), "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=");
}

TEST(Merkle, RootsAndInclusionProofsOfAllSizesUpTo70) {
  const auto all = some_leaves(70);
  for (std::size_t size = 0; size <= 70; ++size) {
    const std::vector<Digest> leaves(all.begin(), all.begin() + static_cast<long>(size));
    const Digest root = brute_root(leaves);
    EXPECT_EQ(root_of(leaves), root);
    EXPECT_EQ(tree_root(size, over(leaves)).value(), root);
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = inclusion_proof(index, size, over(leaves));
      ASSERT_TRUE(proof) << proof.error().describe();
      EXPECT_EQ(*proof, brute_path(index, leaves));
      EXPECT_TRUE(check_inclusion(index, size, leaves[index], *proof, root));
    }
    EXPECT_FALSE(inclusion_proof(size, size, over(leaves)));
  }
}

TEST(Merkle, ConsistencyProofsOfAllPairsUpTo70) {
  const auto all = some_leaves(70);
  std::vector<Digest> roots;
  for (std::size_t i = 0; i <= 70; ++i) roots.push_back(brute_root(std::span(all).first(i)));
  for (std::size_t to = 0; to <= 70; ++to) {
    const std::vector<Digest> leaves(all.begin(), all.begin() + static_cast<long>(to));
    for (std::size_t from = 0; from <= to; ++from) {
      const auto proof = consistency_proof(from, to, over(leaves));
      ASSERT_TRUE(proof) << proof.error().describe();
      if (from > 0) EXPECT_EQ(*proof, brute_subproof(from, leaves, true));
      EXPECT_TRUE(check_consistency(from, to, roots[from], roots[to], *proof)) << from << " " << to;
    }
  }
  EXPECT_FALSE(consistency_proof(5, 4, over(all)));
}

TEST(Merkle, WrongInclusionProofsAreRefused) {
  const auto leaves = some_leaves(70);
  for (std::size_t size : {1u, 2u, 7u, 8u, 33u, 70u}) {
    const Digest root = brute_root(std::span(leaves).first(size));
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = brute_path(index, std::span(leaves).first(size));
      EXPECT_FALSE(check_inclusion(index, size, leaf_hash("other"), proof, root));
      EXPECT_FALSE(check_inclusion(size, size, leaves[index], proof, root));
      for (std::size_t other = 0; other < size; ++other) {
        if (other != index) {
          EXPECT_FALSE(check_inclusion(other, size, leaves[index], proof, root));
        }
      }
      for (std::size_t i = 0; i < proof.size(); ++i) {
        auto bad = proof;
        bad[i][i % 32] ^= std::byte{1};
        EXPECT_FALSE(check_inclusion(index, size, leaves[index], bad, root));
        bad = proof;
        bad.erase(bad.begin() + static_cast<long>(i));
        EXPECT_FALSE(check_inclusion(index, size, leaves[index], bad, root));
      }
      auto longer = proof;
      longer.push_back(root);
      EXPECT_FALSE(check_inclusion(index, size, leaves[index], longer, root));
    }
  }
}

TEST(Merkle, WrongConsistencyProofsAreRefused) {
  const auto leaves = some_leaves(70);
  for (std::size_t to : {2u, 7u, 8u, 33u, 70u}) {
    const Digest to_root = brute_root(std::span(leaves).first(to));
    for (std::size_t from = 1; from < to; ++from) {
      const Digest from_root = brute_root(std::span(leaves).first(from));
      const auto proof = brute_subproof(from, std::span(leaves).first(to), true);
      EXPECT_FALSE(check_consistency(from, to, to_root, to_root, proof));
      EXPECT_FALSE(check_consistency(from, to, from_root, from_root, proof));
      EXPECT_FALSE(check_consistency(to, from, to_root, from_root, proof));
      EXPECT_FALSE(check_consistency(from, to, from_root, to_root, {}));
      for (std::size_t i = 0; i < proof.size(); ++i) {
        auto bad = proof;
        bad[i][5] ^= std::byte{0x80};
        EXPECT_FALSE(check_consistency(from, to, from_root, to_root, bad));
        bad = proof;
        bad.erase(bad.begin() + static_cast<long>(i));
        EXPECT_FALSE(check_consistency(from, to, from_root, to_root, bad));
      }
      auto longer = proof;
      longer.push_back(to_root);
      EXPECT_FALSE(check_consistency(from, to, from_root, to_root, longer));
    }
  }
}

TEST(Merkle, ConsistencyAtTheEdges) {
  const auto leaves = some_leaves(3);
  const Digest root = root_of(leaves);
  const std::vector<Digest> one{root};
  EXPECT_TRUE(check_consistency(3, 3, root, root, {}));
  EXPECT_FALSE(check_consistency(3, 3, root, empty_root(), {}));
  EXPECT_FALSE(check_consistency(3, 3, root, root, one));
  EXPECT_TRUE(check_consistency(0, 3, empty_root(), root, {}));
  EXPECT_FALSE(check_consistency(0, 3, root, root, {}));
  EXPECT_FALSE(check_consistency(0, 3, empty_root(), root, one));
}

TEST(Merkle, LargerRandomTrees) {
  const auto all = some_leaves(3000);
  EXPECT_TRUE(rc::check("proofs equal the definition", [&] {
    const auto size = *rc::gen::inRange<std::size_t>(1, 3000);
    const auto index = *rc::gen::inRange<std::size_t>(0, size);
    const auto from = *rc::gen::inRange<std::size_t>(1, size + 1);
    const std::vector<Digest> leaves(all.begin(), all.begin() + static_cast<long>(size));
    const Digest root = brute_root(leaves);
    RC_ASSERT(root_of(leaves) == root);
    const auto path = inclusion_proof(index, size, over(leaves)).value();
    RC_ASSERT(path == brute_path(index, leaves));
    RC_ASSERT(check_inclusion(index, size, leaves[index], path, root).has_value());
    const auto proof = consistency_proof(from, size, over(leaves)).value();
    RC_ASSERT(proof == brute_subproof(from, leaves, true));
    RC_ASSERT(check_consistency(from, size, brute_root(std::span(leaves).first(from)), root, proof)
                  .has_value());
  }));
}

}  // namespace
}  // namespace gatehouse::ledger
