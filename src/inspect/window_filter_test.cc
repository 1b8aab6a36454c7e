#include "inspect/window_filter.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

using Windows = std::vector<WindowFilter::Window>;
using Found = std::map<std::size_t, std::uint64_t>;

ByteSet random_set(std::mt19937& dice) {
  ByteSet bytes;
  switch (dice() % 4) {
    case 0:
      return bytes.set();
    case 1:
      for (unsigned byte = '0'; byte <= '9'; ++byte) bytes.set(byte);
      return bytes;
    default:
      for (unsigned i = 0; i < 1 + dice() % 4; ++i)
        bytes.set(dice() % 3 == 0 ? dice() % 256 : 'a' + dice() % 6);
      return bytes;
  }
}

Windows random_windows(std::mt19937& dice) {
  Windows windows(1 + dice() % WindowFilter::most_windows);
  for (auto& window : windows)
    for (ByteSet& bytes : window) bytes = random_set(dice);
  return windows;
}

std::string random_text(std::mt19937& dice) {
  std::string text;
  for (std::size_t size = 1 + dice() % 300; size > 0; --size)
    text += static_cast<char>(dice() % 5 == 0   ? dice() % 256
                              : dice() % 2 == 0 ? '0' + dice() % 10
                                                : 'a' + dice() % 6);
  return text;
}

Found find(const WindowFilter& filter, std::string_view text, std::size_t at, std::size_t size) {
  WindowFilter::Hits hits;
  Found found;
  for (const auto& hit : filter.find(text, at, size, hits)) found[at + hit.at] = hit.windows;
  return found;
}

// Behind the end zeros stand.
Found find_the_slow_way(const Windows& windows, const std::string& text, std::size_t at,
                        std::size_t size) {
  Found found;
  for (std::size_t place = at; place < at + size; ++place)
    for (std::size_t i = 0; i < windows.size(); ++i) {
      bool fits = true;
      for (std::size_t k = 0; k < WindowFilter::window_bytes; ++k)
        fits = fits && windows[i][k].test(place + k < text.size()
                                              ? static_cast<unsigned char>(text[place + k])
                                              : 0);
      if (fits) found[place] |= std::uint64_t{1} << i;
    }
  return found;
}

TEST(WindowFilter, FindsWhatEachWindowAloneFinds) {
  std::mt19937 dice(5);
  std::size_t total = 0;
  for (std::uint64_t n = 0; n < testing::tries(300); ++n) {
    const Windows windows = random_windows(dice);
    WindowFilter best;
    WindowFilter portable;
    best.build(windows);
    portable.build(windows, Instructions::portable);
    const std::string text = random_text(dice);
    const std::size_t at = dice() % text.size();
    const std::size_t size = 1 + dice() % (text.size() - at);
    const Found expected = find_the_slow_way(windows, text, at, size);
    ASSERT_EQ(find(best, text, at, size), expected);
    ASSERT_EQ(find(portable, text, at, size), expected);
    total += expected.size();
  }
  EXPECT_GT(total, testing::tries(300));
}

}  // namespace
}  // namespace gatehouse::inspect
