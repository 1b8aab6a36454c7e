#include "inspect/merge_sort.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

namespace gatehouse::inspect {
namespace {

using Item = std::pair<unsigned, unsigned>;  // what it is sorted by, where it was

TEST(MergeSort, SortsAndKeepsEqualItemsInOrder) {
  std::mt19937 dice(std::mt19937::default_seed);
  for (int n = 0; n < 500; ++n) {
    std::vector<Item> items;
    for (unsigned rows = dice() % 8; rows > 0; --rows) {
      unsigned value = 0;
      for (unsigned left = dice() % 20; left > 0; --left) {
        const bool breaks = dice() % 9 == 0;
        value = breaks ? dice() % 20 : value + dice() % 3;
        items.emplace_back(value, items.size());
      }
    }
    std::vector<Item> wanted = items;
    std::ranges::sort(wanted);
    merge_sort(items, [](const Item& a, const Item& b) { return a.first < b.first; });
    ASSERT_EQ(items, wanted);
  }
}

}  // namespace
}  // namespace gatehouse::inspect
