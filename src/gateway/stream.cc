// See stream.h.
#include "gateway/stream.h"

namespace gatehouse::gateway {

StreamScreen::StreamScreen(const AnswerPlan& plan)
    : plan_(plan), channels_(plan_, facts_), framer_(plan.max_event_bytes) {}

Result<void> StreamScreen::feed(std::string_view bytes, std::string& out) {
  framer_.feed(bytes);
  while (true) {
    GH_ASSIGN(auto event, framer_.next());
    if (!event) return {};
    GH_TRY(take(*event, out));
  }
}

Result<void> StreamScreen::take(SseEvent& event, std::string& out) {
  if (!event.has_data) {  // a comment, a keep-alive
    out += event.raw;
    return {};
  }
  return on_event(event, out);
}

Result<void> StreamScreen::finish(std::string& out) {
  Result<void> taken;
  if (auto event = framer_.rest(); event && event->has_data) taken = take(*event, out);
  flush_all(out);
  return taken;
}

void StreamScreen::flush_all(std::string& out) {
  for (const auto& [key, rest] : channels_.finish_all()) emit_rest(key, rest, out);
}

void StreamScreen::emit_edited(const SseEvent& event, std::vector<Splice> edits, std::string& out) {
  if (edits.empty()) {
    out += event.raw;
    return;
  }
  append_event(out, event.name, apply_splices(event.data, std::move(edits)));
}

}  // namespace gatehouse::gateway
