// A set of byte strings, each with a number, that is asked which of them a text begins with.
// Immutable; shared by all threads. A look-up costs a few comparisons for each byte that still
// matches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::onnx {

class ByteTrie {
 public:
  using Entry = std::pair<std::string_view, std::uint32_t>;

  ByteTrie() = default;
  // Of equal strings the largest number counts. Empty strings are left out.
  explicit ByteTrie(std::vector<Entry> entries);

  struct Match {
    std::size_t bytes = 0;
    std::uint32_t value = 0;
  };
  std::optional<Match> longest(std::string_view text) const;

  // Calls `found(Match)` for each string that the text begins with, the shortest first.
  template <class Found>
  void each_prefix(std::string_view text, Found&& found) const {
    std::uint32_t node = 0;
    for (std::size_t at = 0; at < text.size() && !nodes_.empty(); ++at) {
      const auto next = child_of(node, static_cast<std::uint8_t>(text[at]));
      if (!next) return;
      node = *next;
      if (nodes_[node].value != none) found(Match{at + 1, nodes_[node].value});
    }
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  struct Node {
    std::uint32_t first_child = 0;
    std::uint32_t value = none;
    std::uint16_t children = 0;
    std::uint8_t label = 0;
  };
  std::optional<std::uint32_t> child_of(std::uint32_t node, std::uint8_t label) const;

  std::vector<Node> nodes_;  // by levels: the children of a node stand together, by label
};

}  // namespace gatehouse::onnx
