// No text takes long, whatever it is made of: the texts of bench/inspect_hostile, smaller.
#include <gtest/gtest.h>

#include "bench/hostile_texts.h"
#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

// Most take less than a second for 10 MB. Many times that is allowed, for slow machines: what is
// quadratic takes hundreds of times as long.
TEST(Hostile, NoTextTakesLong) {
  constexpr std::size_t size = 40'000;
  Scanner scanner(testing::builtin_rules());
  scanner.scan("password: x, ada@corp.example");
  for (const auto& hostile : testing::hostile_texts(size)) {
    scanner.scan(hostile.text.substr(0, 2000));  // compiles what it needs
    const double taken = testing::processor_seconds([&] { scanner.scan(hostile.text); });
    EXPECT_LT(taken, 0.5 * static_cast<double>(8 / testing::tries(8))) << hostile.name;
  }
}

// A stream of it holds little, and is as fast.
TEST(Hostile, NoStreamHoldsMuch) {
  constexpr std::size_t size = 30'000;
  Scanner scanner(testing::builtin_rules());
  for (const auto& hostile : testing::hostile_texts(size)) {
    Placeholders placeholders;
    TextFilter filter(scanner, {Categories().set(), true, &placeholders}, TextForm::plain);
    std::size_t most = 0;
    const double taken = testing::processor_seconds([&] {
      for (std::size_t at = 0; at < hostile.text.size(); at += 500) {
        filter.feed(std::string_view(hostile.text).substr(at, 500));
        most = std::max(most, filter.held());
      }
      filter.finish();
    });
    EXPECT_LE(most, 3 * TextFilter::max_holdback_bytes) << hostile.name;
    EXPECT_LT(taken, 2.0 * static_cast<double>(8 / testing::tries(8))) << hostile.name;
  }
}

}  // namespace
}  // namespace gatehouse::inspect
