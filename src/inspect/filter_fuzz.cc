// Any text, cut anywhere, in either form, with any plan: the stream gives what the whole gives.
// The first bytes of the input choose plan and cuts; the rest is the text.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "inspect/inspect.h"

namespace {

using namespace gatehouse::inspect;

Scanner& scanner() {
  static Scanner instance = [] {
    const auto set = RuleSet::builtin();
    if (!set) std::abort();
    return Scanner(*set);
  }();
  return instance;
}

Placeholders known() {
  Placeholders placeholders;
  placeholders.placeholder_for("EMAIL", "ada@corp.example");
  placeholders.placeholder_for("CREDENTIAL", "quote \" and \n newline");
  return placeholders;
}

struct Result {
  std::string text;
  std::size_t found = 0;
  std::size_t restored = 0;
};

Result run(std::string_view text, Categories redact, bool restore, TextForm form,
           std::uint8_t step) {
  Placeholders placeholders = known();
  TextFilter filter(scanner(), {redact, restore, &placeholders}, form);
  Result result;
  std::uint8_t size = step;
  while (!text.empty()) {
    const std::size_t taken = step == 0 ? text.size() : std::min<std::size_t>(text.size(), size);
    result.text += filter.feed(text.substr(0, taken));
    text.remove_prefix(taken);
    if (filter.held() > 6 * TextFilter::max_holdback_bytes) std::abort();
    size = static_cast<std::uint8_t>(size * 5 + 1);
    if (size == 0) size = 1;
  }
  result.text += filter.finish();
  result.found = filter.found();
  result.restored = filter.restored();
  return result;
}

}  // namespace

// Compiling the rules takes seconds here: not in the time of the first input.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)scanner();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 64 * 1024) return 0;
  const Categories redact(data[0] & 3u);
  const bool restore = (data[0] & 4) != 0;
  const TextForm form = (data[0] & 8) != 0 ? TextForm::json : TextForm::plain;
  const std::uint8_t step = data[1] == 0 ? 1 : data[1];
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const Result whole = run(text, redact, restore, form, 0);
  const Result cut = run(text, redact, restore, form, step);
  if (whole.text != cut.text || whole.found != cut.found || whole.restored != cut.restored)
    std::abort();
  return 0;
}
