// See byte_trie.h.
#include "onnx/byte_trie.h"

#include <algorithm>
#include <span>

namespace gatehouse::onnx {
namespace {

// The strings that share their first `depth` bytes, whose node is `node`.
struct Family {
  std::uint32_t node = 0;
  std::size_t depth = 0;
  std::span<const ByteTrie::Entry> entries;
};

}  // namespace

ByteTrie::ByteTrie(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.first.empty(); });
  std::ranges::sort(entries);
  nodes_.emplace_back();
  std::vector<Family> level{{0, 0, entries}};
  while (!level.empty()) {
    std::vector<Family> next;
    for (const Family& family : level) {
      const std::size_t depth = family.depth;
      auto rest = family.entries;
      while (!rest.empty() && rest.front().first.size() == depth) {
        nodes_[family.node].value = rest.front().second;
        rest = rest.subspan(1);
      }
      nodes_[family.node].first_child = static_cast<std::uint32_t>(nodes_.size());
      while (!rest.empty()) {
        const char label = rest.front().first[depth];
        const auto end = std::ranges::find_if(
            rest, [&](const Entry& entry) { return entry.first[depth] != label; });
        const auto count = static_cast<std::size_t>(end - rest.begin());
        ++nodes_[family.node].children;
        next.push_back({static_cast<std::uint32_t>(nodes_.size()), depth + 1, rest.first(count)});
        nodes_.push_back({.label = static_cast<std::uint8_t>(label)});
        rest = rest.subspan(count);
      }
    }
    level = std::move(next);
  }
}

std::optional<std::uint32_t> ByteTrie::child_of(std::uint32_t node, std::uint8_t label) const {
  const auto children = std::span(nodes_).subspan(nodes_[node].first_child, nodes_[node].children);
  const auto child = std::ranges::lower_bound(children, label, {}, &Node::label);
  if (child == children.end() || child->label != label) return std::nullopt;
  return nodes_[node].first_child + static_cast<std::uint32_t>(child - children.begin());
}

std::optional<ByteTrie::Match> ByteTrie::longest(std::string_view text) const {
  std::optional<Match> best;
  each_prefix(text, [&](const Match& match) { best = match; });
  return best;
}

}  // namespace gatehouse::onnx
