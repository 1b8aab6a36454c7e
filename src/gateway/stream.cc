// See stream.h.
#include "gateway/stream.h"

#include <algorithm>

namespace gatehouse::gateway {

StreamScreen::StreamScreen(const AnswerPlan& plan)
    : plan_(plan), channels_(plan_, facts_), framer_(plan.max_event_bytes) {}

Result<void> StreamScreen::feed(std::string_view bytes, std::string& out) {
  framer_.feed(bytes);
  while (!ended_) {
    GH_ASSIGN(auto event, framer_.next());
    if (!event) return {};
    GH_TRY(take(*event, out));
  }
  return {};
}

Result<void> StreamScreen::take(SseEvent& event, std::string& out) {
  if (!event.has_data) {  // a comment, a keep-alive
    if (!event.has_unknown) out += event.raw;
    return {};
  }
  GH_TRY(on_event(event, out));
  if (channels_.too_many())
    return fail(ErrorCode::resource_exhausted, "the stream has too many texts at once");
  return {};
}

Result<void> StreamScreen::finish(std::string& out) {
  Result<void> taken;
  if (ended_) return taken;
  if (auto event = framer_.rest(); event && event->has_data) taken = take(*event, out);
  flush_all(out);
  return taken;
}

void StreamScreen::note_content(const ChannelKey& key, std::string_view text) {
  if (!plan_.keep_content) return;
  if (const auto choice = content_of(key))
    facts_.add_content(*choice, text, plan_.most_content_bytes);
}

void StreamScreen::add_rest(const Rest& rest, std::vector<Outgoing>& outgoing, std::string& out) {
  for (const auto& [key, text] : rest) {
    note_content(key, text);
    // The last one: an event may have two deltas of one channel.
    const auto own = std::find_if(outgoing.rbegin(), outgoing.rend(),
                                  [&key](const Outgoing& delta) { return delta.key == key; });
    if (own != outgoing.rend()) {
      own->text += text;
    } else {
      emit_rest(key, text, out);
    }
  }
}

bool StreamScreen::add_edits(const std::vector<Outgoing>& outgoing, std::vector<Splice>& edits) {
  bool changed = false;
  for (const auto& delta : outgoing) {
    if (delta.text == delta.before) continue;
    changed = true;
    edits.push_back(replace_string(delta.inside, delta.text));
  }
  return changed;
}

void StreamScreen::flush_all(std::string& out) {
  for (const auto& [key, rest] : channels_.finish_all()) {
    note_content(key, rest);
    emit_rest(key, rest, out);
  }
}

void StreamScreen::emit_edited(const SseEvent& event, std::vector<Splice> edits, std::string& out) {
  if (edits.empty() && !event.has_unknown) {
    out += event.raw;
    return;
  }
  append_event(out, event.name, apply_splices(event.data, std::move(edits)));
}

}  // namespace gatehouse::gateway
