// The Merkle tree of RFC 6962 section 2.1 over SHA-256, and the proof checks of RFC 9162 sections
// 2.1.3.2 and 2.1.4.2. Pure functions; the makers of proofs ask a `Subtrees` for stored hashes.
//
//   leaf = SHA-256(0x00 ‖ entry)    node = SHA-256(0x01 ‖ left ‖ right)    empty = SHA-256("")
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/crypto.h"

namespace gatehouse::ledger {

using crypto::Digest;

// No tree here has more leaves than this; keeps all index arithmetic free of overflow.
inline constexpr std::uint64_t max_tree_size = std::uint64_t{1} << 62;
// The longest inclusion or consistency proof of such a tree.
inline constexpr std::size_t max_proof_hashes = 63;

Digest leaf_hash(std::string_view entry);
Digest node_hash(const Digest& left, const Digest& right);
Digest empty_root();
// Root of the tree with exactly these leaf hashes.
Digest root_of(std::span<const Digest> leaves);

// Gives the root of the complete subtree of 2^height leaves that starts at leaf index·2^height.
using Subtrees = std::function<Result<Digest>(unsigned height, std::uint64_t index)>;

// Root of the first `size` leaves.
Result<Digest> tree_root(std::uint64_t size, const Subtrees& subtrees);
// invalid_argument: index >= size; from > to.
Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                            const Subtrees& subtrees);
Result<std::vector<Digest>> consistency_proof(std::uint64_t from, std::uint64_t to,
                                              const Subtrees& subtrees);

// Error invalid_argument with the reason when the proof does not hold.
Result<void> check_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                             std::span<const Digest> proof, const Digest& root);
Result<void> check_consistency(std::uint64_t from, std::uint64_t to, const Digest& from_root,
                               const Digest& to_root, std::span<const Digest> proof);

}  // namespace gatehouse::ledger
