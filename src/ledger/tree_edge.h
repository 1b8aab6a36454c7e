// The right edge of the growing tree: for each tile level the hashes of the tile that is not full
// yet. Enough to add leaves, to know the root, and to write every tile. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ledger/merkle.h"
#include "ledger/tile.h"

namespace gatehouse::ledger {

class TreeEdge {
 public:
  TreeEdge() = default;
  // The edge of a tree of `size` leaves; levels[l] has hashes_at(l, size) % 256 hashes.
  TreeEdge(std::uint64_t size, std::vector<std::vector<Digest>> levels);

  // Called with each tile that has become full, lowest level first.
  using FullTile = std::function<Result<void>(const TileName&, std::span<const Digest>)>;
  Result<void> add(const Digest& leaf, const FullTile& full);

  std::uint64_t size() const { return size_; }
  Digest root() const;
  unsigned levels() const { return static_cast<unsigned>(levels_.size()); }
  // The hashes of the tile of this level that is not full; may be empty.
  std::span<const Digest> partial(unsigned level) const { return levels_[level]; }

 private:
  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> levels_;
};

}  // namespace gatehouse::ledger
