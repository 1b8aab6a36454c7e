#include "ledger/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace gatehouse::ledger {

namespace {

constexpr std::array leaf_prefix{std::byte{0}};

// The largest power of two smaller than n (n > 1).
std::uint64_t split_of(std::uint64_t n) {
  return std::bit_floor(n - 1);
}

Error wrong(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

// Root of the leaves [begin, begin+count); begin is a multiple of the largest power of two <=
// count, so the range falls into complete subtrees, largest first.
Result<Digest> range_root(std::uint64_t begin, std::uint64_t count, const Subtrees& subtrees) {
  std::vector<Digest> parts;
  while (count > 0) {
    const auto height = static_cast<unsigned>(std::bit_width(count) - 1);
    GH_ASSIGN(const Digest part, subtrees(height, begin >> height));
    parts.push_back(part);
    begin += std::uint64_t{1} << height;
    count -= std::uint64_t{1} << height;
  }
  Digest root = parts.back();
  for (std::size_t i = parts.size() - 1; i-- > 0;) root = node_hash(parts[i], root);
  return root;
}

// The walk that both proof checks share: where a leaf stands in a tree of `size` leaves, seen from
// the bottom up. `at` is its position on the present level, `last` that of the rightmost node.
struct Climb {
  std::uint64_t at;
  std::uint64_t last;

  bool is_right_child() const { return (at & 1) != 0 || at == last; }
  void up() {
    at >>= 1;
    last >>= 1;
  }
  // A right child without a sibling on this level stands for its parent further up.
  void skip_levels_without_sibling() {
    while ((at & 1) == 0 && at != 0) up();
  }
};

}  // namespace

Digest leaf_hash(std::string_view entry) {
  return crypto::sha256(leaf_prefix, bytes_of(entry));
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> block;
  block[0] = std::byte{1};
  std::memcpy(block.data() + 1, left.data(), left.size());
  std::memcpy(block.data() + 33, right.data(), right.size());
  return crypto::sha256(block);
}

Digest empty_root() {
  return crypto::sha256(Bytes{});
}

Digest root_of(std::span<const Digest> leaves) {
  if (leaves.empty()) return empty_root();
  std::vector<Digest> level(leaves.begin(), leaves.end());
  while (level.size() > 1) {
    const std::size_t pairs = level.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) level[i] = node_hash(level[2 * i], level[2 * i + 1]);
    if (level.size() % 2 != 0) {
      level[pairs] = level.back();
      level.resize(pairs + 1);
    } else {
      level.resize(pairs);
    }
  }
  return level.front();
}

Result<Digest> tree_root(std::uint64_t size, const Subtrees& subtrees) {
  if (size == 0) return empty_root();
  return range_root(0, size, subtrees);
}

Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                            const Subtrees& subtrees) {
  if (index >= size || size > max_tree_size) {
    return std::unexpected(wrong("no such entry in a tree of this size"));
  }
  std::vector<Digest> proof;
  std::uint64_t begin = 0;
  while (size > 1) {
    const std::uint64_t left = split_of(size);
    if (index - begin < left) {
      GH_ASSIGN(const Digest sibling, range_root(begin + left, size - left, subtrees));
      proof.push_back(sibling);
      size = left;
    } else {
      GH_ASSIGN(const Digest sibling, range_root(begin, left, subtrees));
      proof.push_back(sibling);
      begin += left;
      size -= left;
    }
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<std::vector<Digest>> consistency_proof(std::uint64_t from, std::uint64_t to,
                                              const Subtrees& subtrees) {
  if (from > to || to > max_tree_size) {
    return std::unexpected(wrong("a tree is consistent only with a larger or equal one"));
  }
  std::vector<Digest> proof;
  if (from == 0 || from == to) return proof;
  // RFC 9162 section 2.1.4.1, SUBPROOF, as a loop from the root down.
  std::uint64_t begin = 0;
  std::uint64_t size = to;
  while (from != size) {
    const std::uint64_t left = split_of(size);
    if (from <= left) {
      GH_ASSIGN(const Digest sibling, range_root(begin + left, size - left, subtrees));
      proof.push_back(sibling);
      size = left;
    } else {
      GH_ASSIGN(const Digest sibling, range_root(begin, left, subtrees));
      proof.push_back(sibling);
      begin += left;
      from -= left;
      size -= left;
    }
  }
  // The verifier knows the old root already when the old tree is a complete left part.
  if (begin != 0) {
    GH_ASSIGN(const Digest old_part, range_root(begin, size, subtrees));
    proof.push_back(old_part);
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<void> check_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                             std::span<const Digest> proof, const Digest& root) {
  if (index >= size || size > max_tree_size) {
    return std::unexpected(wrong("the index is not below the tree size"));
  }
  Climb climb{.at = index, .last = size - 1};
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (climb.last == 0) return std::unexpected(wrong("the inclusion proof has too many hashes"));
    if (climb.is_right_child()) {
      hash = node_hash(sibling, hash);
      climb.skip_levels_without_sibling();
    } else {
      hash = node_hash(hash, sibling);
    }
    climb.up();
  }
  if (climb.last != 0) return std::unexpected(wrong("the inclusion proof has too few hashes"));
  if (hash != root) {
    return std::unexpected(
        wrong("the inclusion proof does not lead to the root of the checkpoint"));
  }
  return {};
}

Result<void> check_consistency(std::uint64_t from, std::uint64_t to, const Digest& from_root,
                               const Digest& to_root, std::span<const Digest> proof) {
  if (from > to || to > max_tree_size) return std::unexpected(wrong("the newer tree is smaller"));
  if (from == 0 || from == to) {
    if (!proof.empty()) return std::unexpected(wrong("the consistency proof should be empty"));
    if (from == 0 && from_root != empty_root()) {
      return std::unexpected(wrong("the root of the empty tree is wrong"));
    }
    if (from == to && from_root != to_root) {
      return std::unexpected(wrong("two different roots for the same size"));
    }
    return {};
  }
  if (proof.empty()) return std::unexpected(wrong("the consistency proof is empty"));
  Climb climb{.at = from - 1, .last = to - 1};
  while ((climb.at & 1) != 0) climb.up();
  const bool complete = std::has_single_bit(from);
  Digest old_hash = complete ? from_root : proof.front();
  Digest new_hash = old_hash;
  for (const Digest& sibling : complete ? proof : proof.subspan(1)) {
    if (climb.last == 0) return std::unexpected(wrong("the consistency proof has too many hashes"));
    if (climb.is_right_child()) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      climb.skip_levels_without_sibling();
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    climb.up();
  }
  if (climb.last != 0) return std::unexpected(wrong("the consistency proof has too few hashes"));
  if (old_hash != from_root) {
    return std::unexpected(wrong("the consistency proof does not lead to the older root"));
  }
  if (new_hash != to_root) {
    return std::unexpected(wrong("the consistency proof does not lead to the newer root"));
  }
  return {};
}

}  // namespace gatehouse::ledger
