#include "base/exception.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace gatehouse {
namespace {

TEST(Exception, is_described_without_what_it_quotes) {
  const auto thrown = [](auto exception) { return std::make_exception_ptr(exception); };
  EXPECT_EQ(describe(thrown(std::runtime_error("card 4111"))), "std::runtime_error");
  EXPECT_EQ(describe(thrown(std::out_of_range("[json.exception.other.401] card 4111"))),
            "std::out_of_range [json.exception.other.401]");
  EXPECT_EQ(describe(thrown(4111)), "of a type of its own");
}

}  // namespace
}  // namespace gatehouse
