#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/os.h"

namespace gatehouse {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::invalid_argument, "odd", "half");
  return value / 2;
}

Result<int> quarter(int value) {
  GH_ASSIGN(const int first, half(value));
  GH_ASSIGN(const int second, half(first));
  return second;
}

Result<void> check_even(int value) {
  GH_TRY(half(value));
  return {};
}

Result<std::unique_ptr<int>> boxed(int value) {
  GH_ASSIGN(const int kept, half(value));
  return std::make_unique<int>(kept);
}

TEST(Result, the_first_error_is_returned) {
  EXPECT_EQ(quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_TRUE(check_even(2));
  EXPECT_FALSE(check_even(3));
}

TEST(Result, values_that_only_move_pass_through) {
  auto made = boxed(4);
  ASSERT_TRUE(made);
  EXPECT_EQ(**made, 2);
}

TEST(Error, context_stands_before_the_message_outermost_first) {
  EXPECT_EQ((Error{ErrorCode::internal, "broke", ""}).describe(), "broke");
  const Error inner{ErrorCode::not_found, "no such key", "keys.yaml:3"};
  const Error outer = Error(inner).within("loading");
  EXPECT_EQ(outer.describe(), "loading: keys.yaml:3: no such key");
  EXPECT_EQ(outer.code, ErrorCode::not_found);
  EXPECT_EQ((Error{ErrorCode::internal, "broke", ""}).within("here").describe(), "here: broke");
}

TEST(Error, every_code_has_a_name_of_its_own) {
  EXPECT_EQ(to_string(ErrorCode::invalid_argument), "invalid_argument");
  EXPECT_EQ(to_string(ErrorCode::deadline_exceeded), "deadline_exceeded");
  EXPECT_EQ(to_string(ErrorCode::internal), "internal");
}

TEST(CheckDeathTest, a_failed_check_names_the_place_and_aborts) {
  EXPECT_DEATH(GH_CHECK(1 + 1 == 3), "result_test.cc:[0-9]+: .*check failed: 1 \\+ 1 == 3");
}

TEST(OsError, says_what_was_tried_and_why_it_failed) {
  const Error error = os_error(ENOENT, "open", "/nowhere");
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_EQ(error.describe(), "/nowhere: cannot open: No such file or directory");
  EXPECT_EQ(os_error(ENOSPC, "write").code, ErrorCode::resource_exhausted);
  EXPECT_EQ(os_error(EACCES, "open").code, ErrorCode::permission_denied);
}

}  // namespace
}  // namespace gatehouse
