// Any file is refused or makes a dictionary that can be asked; any list makes a file that is read.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "inspect/dictionary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto key = inspect::dictionary_key("fuzz");
  if (const auto dictionary = inspect::Dictionary::parse(text, key))
    inspect::find_all(*inspect::make_dictionary_detector(*dictionary), text);
  SeededRandom random(1);
  const auto built = inspect::build_dictionary(
      {text}, {"fuzz", "FUZZ", inspect::Category::custom, 0.1}, key, random);
  if (built) GH_CHECK(inspect::Dictionary::parse(built->file, key).has_value());
  return 0;
}
