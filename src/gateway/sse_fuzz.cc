// The event framer: bounded, no crash, nothing lost, and cutting does not matter.
#include <cstdint>
#include <vector>

#include "gateway/sse.h"

using namespace gatehouse;
using namespace gatehouse::gateway;

namespace {

constexpr std::size_t limit = 4'096;

bool drain(SseFramer& framer, std::vector<SseEvent>& events) {
  while (true) {
    auto event = framer.next();
    if (!event) return false;
    if (!*event) return true;
    GH_CHECK((*event)->raw.size() <= limit);
    events.push_back(std::move(**event));
  }
}

std::vector<SseEvent> read(std::string_view text, std::size_t piece, bool& ok) {
  SseFramer framer(limit);
  std::vector<SseEvent> events;
  ok = true;
  for (std::size_t at = 0; at < text.size() && ok; at += piece) {
    framer.feed(text.substr(at, piece));
    ok = drain(framer, events);
  }
  if (ok)
    if (auto rest = framer.rest()) events.push_back(std::move(*rest));
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = 1 + data[0] % 64;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool whole_ok = false;
  bool parts_ok = false;
  const auto whole = read(text, text.size() + 1, whole_ok);
  const auto parts = read(text, piece, parts_ok);
  GH_CHECK(whole_ok == parts_ok);
  if (!whole_ok) return 0;
  GH_CHECK(whole.size() == parts.size());
  std::string raw;
  for (std::size_t each = 0; each < whole.size(); ++each) {
    GH_CHECK(whole[each].raw == parts[each].raw && whole[each].data == parts[each].data);
    raw += whole[each].raw;
  }
  constexpr std::string_view mark = "\xef\xbb\xbf";  // dropped where a stream begins with it
  GH_CHECK(raw.starts_with(text.substr(text.starts_with(mark) ? mark.size() : 0)));
  return 0;
}
