// Writes one ledger entry in its fixed field order. Pure functions.
#include "ledger/event.h"

#include <fmt/core.h>

#include "base/json.h"

namespace gatehouse::ledger {

namespace {

void add_json(JsonWriter& writer, std::string_view name, const std::string& json) {
  if (!json.empty()) writer.key(name).raw(json);
}

void add_text(JsonWriter& writer, std::string_view name, const std::string& text) {
  if (!text.empty()) writer.key(name).string(text);
}

}  // namespace

Result<std::string> serialize(const Event& event) {
  if (event.id.empty() || event.type.empty()) {
    return fail(ErrorCode::invalid_argument, "an event needs an id and a type");
  }
  std::string out;
  out.reserve(256 + event.actor.size() + event.subject.size() + event.label.size() +
              event.data.size());
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("id").string(event.id);
  writer.key("time").string(format_time(event.time));
  writer.key("type").string(event.type);
  add_text(writer, "node", event.node);
  add_json(writer, "actor", event.actor);
  add_json(writer, "subject", event.subject);
  add_json(writer, "label", event.label);
  add_text(writer, "snapshot", event.snapshot);
  add_json(writer, "data", event.data);
  writer.end_object();
  if (out.size() > max_entry_bytes) {
    return fail(ErrorCode::resource_exhausted,
                fmt::format("the event would be {} bytes long; an entry holds at most {}",
                            out.size(), max_entry_bytes),
                event.id);
  }
  return out;
}

}  // namespace gatehouse::ledger
