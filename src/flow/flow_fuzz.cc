// Texts and arguments as anybody may write them: nothing may crash, and untrusted text alone trusts
// nothing that a user did not say.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "flow/flow.h"

using namespace gatehouse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find('\0');
  const auto text = input.substr(0, cut);
  const auto arguments = cut == std::string_view::npos ? input : input.substr(cut + 1);
  const flow::FieldTrust fields{{"id", Integrity::trusted}, {"sender", Integrity::unverified}};
  flow::Tracer tracer{WallTime{}};
  tracer.add({flow::Author::tool, Integrity::untrusted, Confidentiality::public_, text, nullptr});
  tracer.add({flow::Author::tool, Integrity::untrusted, Confidentiality::public_, text, &fields});
  for (const auto kind : {flow::Kind::plain, flow::Kind::number, flow::Kind::identifier,
                          flow::Kind::time, flow::Kind::choice}) {
    const auto traces = tracer.trace(arguments, {}, kind);
    if (!traces) continue;
    for (const auto& trace : *traces)
      GH_CHECK(trace.standing != flow::Standing::user || trace.match == flow::Match::constant);
  }
  return 0;
}
