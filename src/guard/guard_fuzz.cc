// Whatever a guard answers: a verdict or a failure, no crash.
#include <array>
#include <cstdint>

#include "guard/guard.h"

using namespace gatehouse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  guard::Config config;
  config.type = static_cast<guard::Type>(data[0] % 4);
  if ((data[0] & 4) != 0) config.categories = {"S1", "hate"};
  (data[0] & 8) != 0 ? config.flagged_pointer = "/0/flagged" : config.score_pointer = "/score";
  const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)guard::read_answer(config, answer);
  return 0;
}
