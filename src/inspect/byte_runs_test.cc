#include "inspect/byte_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace gatehouse::inspect {
namespace {

std::size_t next_run_the_slow_way(std::string_view text, std::size_t from, std::size_t length,
                                  bool (*has)(char)) {
  for (; from + length <= text.size(); ++from) {
    const std::string_view run = text.substr(from, length);
    if (std::all_of(run.begin(), run.end(), has)) return from;
  }
  return text.size();
}

// Long stretches of the alphabets, and every byte now and then.
std::string random_text(std::mt19937& dice) {
  static constexpr std::string_view alphabet = "abzAZ059-";
  std::string text;
  while (text.size() < dice() % 400) {
    for (unsigned left = dice() % 40; left > 0; --left) text += alphabet[dice() % alphabet.size()];
    text += static_cast<char>(dice() % 256);
  }
  return text;
}

TEST(ByteRuns, AreFoundWhereTheyBegin) {
  std::mt19937 dice(3);
  for (int n = 0; n < 20'000; ++n) {
    const std::string text = random_text(dice);
    const std::size_t from = dice() % (text.size() + 1);
    ASSERT_EQ(next_token_run(text, from), next_run_the_slow_way(text, from, 14, is_token_byte));
    ASSERT_EQ(next_base64_run(text, from), next_run_the_slow_way(text, from, 16, is_base64_byte));
  }
}

TEST(ByteRuns, EveryByteIsOfItsAlphabetOrNot) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string text(80, c);  // long enough for sixteen at a time
    EXPECT_EQ(next_token_run(text, 0) == 0, is_token_byte(c)) << byte;
    EXPECT_EQ(next_base64_run(text, 0) == 0, is_base64_byte(c)) << byte;
  }
}

}  // namespace
}  // namespace gatehouse::inspect
