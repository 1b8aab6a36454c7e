// Request bodies of every dialect: decoding never crashes, every channel lies inside the body, and
// a body that was accepted is still a JSON object after every channel was replaced.
#include <cstdint>

#include "base/json.h"
#include "gateway/dialect.h"

using namespace gatehouse;
using namespace gatehouse::gateway;

namespace {

class Ignore final : public JsonVisitor {
  void on_string(Path, std::string_view, JsonSpan) override {}
  void on_number(Path, std::string_view, JsonSpan) override {}
};

void decode_and_replace(const Dialect& dialect, std::string_view body) {
  JsonWalker walker;
  Exchange exchange;
  exchange.body = body;
  if (!dialect.decode(walker, exchange)) return;
  std::vector<Splice> edits;
  for (const auto& channel : exchange.channels) {
    GH_CHECK(channel.inside.begin <= channel.inside.end);
    GH_CHECK(channel.inside.end <= exchange.body.size());
    if (channel.role == TextRole::covered) continue;  // inside another one
    Splice splice{channel.inside.begin, channel.inside.end, {}};
    if (channel.is_number || channel.role == TextRole::raw_json) {
      append_json_string(splice.text, "replaced");
    } else {
      append_json_escaped(splice.text, "re\"placed\n");
    }
    edits.push_back(std::move(splice));
  }
  auto replaced = apply_splices(exchange.body, std::move(edits));
  Ignore ignore;
  GH_CHECK(walker.walk(replaced, ignore));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  decode_and_replace(openai_dialect(), body);
  decode_and_replace(responses_dialect(), body);
  decode_and_replace(anthropic_dialect(), body);
  return 0;
}
