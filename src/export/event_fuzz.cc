// Any bytes as a ledger entry, through every format: what comes out must be what the receiver can
// read. The span join lives on, so that a run is a log of hostile entries.
#include <cstdint>
#include <cstdlib>

#include "export/cef.h"
#include "export/otlp.h"
#include "export/span_join.h"
#include "export/syslog.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_json(std::string_view text) {
  return nlohmann::json::accept(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::exporter;
  static SpanJoin join;
  static std::uint64_t index = 0;
  const Source source{"1.2.3", "example.org/log"};
  const std::string_view entry(reinterpret_cast<const char*>(data), size);
  const Record record = read_record(index++, entry, gatehouse::WallTime{});
  check(!record.id.empty() && !record.type.empty());

  std::string lines;
  append_ocsf(record, source, lines);
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = lines.find('\n', at);
    check(end != std::string::npos && is_json(std::string_view(lines).substr(at, end - at)));
    at = end + 1;
  }

  const std::string cef = cef_message(record, source);
  check(cef.starts_with("CEF:0|") && cef.find('\n') == std::string::npos);
  std::string frame;
  append_octet_frame(
      frame, syslog_message({grade_of(record), record.time, record.node, record.type}, cef));
  std::string_view bytes(frame);
  const auto message = take_octet_frame(bytes);
  check(message && message->ends_with(cef) && bytes.empty());

  check(is_json(otlp_log_record(record)));
  if (const auto span = join.add(record)) check(is_json(*span));
  check(join.open() <= SpanJoin::most_open && join.replay_from(index) <= index);
  return 0;
}
