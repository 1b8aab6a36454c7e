#include "base/form.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(FormText, IsDecodedOrRefused) {
  EXPECT_EQ(decode_form_text("a+b%20c%2B%C3%A9"), "a b c+é");
  EXPECT_EQ(decode_form_text(""), "");
  for (const auto* text : {"%", "a%", "a%4", "%4g", "%ff", "%C3", "%c3%28"})
    EXPECT_FALSE(decode_form_text(text)) << text;
}

}  // namespace
}  // namespace gatehouse
