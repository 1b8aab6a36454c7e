// Sorts what was put together from a few rows that are in order already, such as the matches of one
// rule after the other: by merging neighbouring rows (natural merge sort; Knuth, TAOCP 5.2.4).
// Items that are equal stay in order. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

namespace gatehouse::inspect {

template <class Item, class Before>
void merge_sort(std::vector<Item>& items, const Before& before) {
  std::vector<std::size_t> ends;  // of the rows
  for (std::size_t at = 1; at < items.size(); ++at)
    if (before(items[at], items[at - 1])) ends.push_back(at);
  if (ends.empty()) return;
  ends.push_back(items.size());
  std::vector<Item> merged;
  while (ends.size() > 1) {
    merged.clear();
    merged.reserve(items.size());
    std::size_t begin = 0;
    std::size_t kept = 0;
    for (std::size_t row = 0; row < ends.size(); row += 2) {
      const std::size_t end = ends[std::min(row + 1, ends.size() - 1)];
      const auto* const first = items.data();
      std::merge(first + begin, first + ends[row], first + ends[row], first + end,
                 std::back_inserter(merged), before);
      begin = ends[kept++] = end;
    }
    ends.resize(kept);
    items.swap(merged);
  }
}

}  // namespace gatehouse::inspect
