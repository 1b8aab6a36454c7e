#include "inspect/byte_class.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "inspect/property_test_support.h"

namespace gatehouse::inspect {
namespace {

TEST(ByteClass, HasTheBytesOfItsSetAndNoOther) {
  std::mt19937 dice(6);
  for (std::uint64_t n = 0; n < testing::tries(200); ++n) {
    ByteSet set;
    for (unsigned i = dice() % 256; i > 0; --i) set.set(dice() % 256);
    const ByteClass best(set);
    const ByteClass portable(set, Instructions::portable);
    std::string text;
    while (text.size() < ByteClass::width) text += static_cast<char>(dice());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool is_in = set.test(static_cast<unsigned char>(text[i]));
      ASSERT_EQ(best.has(text[i]), is_in);
      ASSERT_EQ(best.members(text.data()) >> i & 1, std::uint64_t{is_in});
      ASSERT_EQ(portable.members(text.data()) >> i & 1, std::uint64_t{is_in});
    }
  }
}

}  // namespace
}  // namespace gatehouse::inspect
