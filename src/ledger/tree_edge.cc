#include "ledger/tree_edge.h"

#include <bit>
#include <optional>

namespace gatehouse::ledger {

namespace {

// Root of `left` (hashes of equal, complete subtrees) followed by the smaller `right`.
std::optional<Digest> join(std::span<const Digest> left, std::optional<Digest> right) {
  // Of the hashes, the last few form the smallest complete subtree, and so on to the front.
  while (!left.empty()) {
    const std::size_t width = std::size_t{1} << std::countr_zero(left.size());
    const Digest subtree = root_of(left.last(width));
    right = right ? node_hash(subtree, *right) : subtree;
    left = left.first(left.size() - width);
  }
  return right;
}

}  // namespace

TreeEdge::TreeEdge(std::uint64_t size, std::vector<std::vector<Digest>> levels)
    : size_(size), levels_(std::move(levels)) {
  GH_CHECK(levels_.size() == levels_of(size));
  for (unsigned level = 0; level < levels_.size(); ++level) {
    GH_CHECK(levels_[level].size() == hashes_at(level, size) % tile_width);
  }
}

Result<void> TreeEdge::add(const Digest& leaf, const FullTile& full) {
  Digest hash = leaf;
  for (unsigned level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back().reserve(tile_width);
    auto& tile = levels_[level];
    tile.push_back(hash);
    if (tile.size() < tile_width) break;
    const TileName name{.level = level, .index = size_ >> (8 * (level + 1))};
    GH_TRY(full(name, tile));
    hash = root_of(tile);
    tile.clear();
  }
  ++size_;
  return {};
}

Digest TreeEdge::root() const {
  std::optional<Digest> root;
  for (const auto& tile : levels_) root = join(tile, root);
  return root ? *root : empty_root();
}

}  // namespace gatehouse::ledger
