// See sse.h.
#include "gateway/sse.h"

#include <algorithm>

#include "base/word.h"

namespace gatehouse::gateway {
namespace {

std::size_t find_break(std::string_view text, std::size_t from) {
  const auto hits = [](std::uint64_t word) {
    return bytes_equal(word, '\r') | bytes_equal(word, '\n');
  };
  return find_byte(text, from, hits, [](char c) { return c == '\r' || c == '\n'; });
}

// The first line end at or after `from`, as (end of text, begin of the next line), or nullopt while
// its terminator has not wholly come. A CR at the very end could be half of CR LF.
struct Line {
  std::size_t end;
  std::size_t next;
};

std::optional<Line> find_line(std::string_view text, std::size_t from) {
  const auto end = find_break(text, from);
  if (end == text.size()) return std::nullopt;
  if (text[end] == '\n') return Line{end, end + 1};
  if (end + 1 == text.size()) return std::nullopt;
  return Line{end, text[end + 1] == '\n' ? end + 2 : end + 1};
}

void read_field(std::string_view line, SseEvent& event) {
  if (line.empty() || line.front() == ':') return;
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") {
    event.name = value;
  } else if (name == "data") {
    if (event.has_data) event.data += '\n';
    event.data += value;
    event.has_data = true;
  } else if (name != "id" && name != "retry") {
    event.has_unknown = true;
  }
}

}  // namespace

void SseFramer::feed(std::string_view bytes) {
  if (consumed_ > 0) {
    buffer_.erase(0, consumed_);
    line_ -= consumed_;
    searched_ -= consumed_;
    consumed_ = 0;
  }
  buffer_ += bytes;
}

// False while it cannot be said yet whether the stream begins with one.
bool SseFramer::skip_byte_order_mark() {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  if (buffer_.size() < mark.size() && mark.starts_with(buffer_)) return false;
  began_ = true;
  if (buffer_.starts_with(mark)) consumed_ = line_ = searched_ = mark.size();
  return true;
}

Result<std::optional<SseEvent>> SseFramer::next() {
  if (!began_ && !skip_byte_order_mark()) return std::nullopt;
  while (const auto line = find_line(buffer_, searched_)) {
    const bool blank = line->end == line_;
    line_ = searched_ = line->next;
    if (line_ - consumed_ > max_event_bytes_) return too_large();
    if (blank) return take(line->next);
  }
  // What has no line end is not looked at again, but for a CR that waits for its LF.
  searched_ = std::max(line_, buffer_.size() - (buffer_.ends_with('\r') ? 1 : 0));
  if (buffer_.size() - consumed_ > max_event_bytes_) return too_large();
  return std::nullopt;
}

std::unexpected<Error> SseFramer::too_large() const {
  return fail(ErrorCode::resource_exhausted,
              "a server-sent event exceeds " + std::to_string(max_event_bytes_) + " bytes");
}

SseEvent SseFramer::take(std::size_t end) {
  SseEvent event;
  event.raw = buffer_.substr(consumed_, end - consumed_);
  std::size_t at = consumed_;
  consumed_ = end;
  while (at < end) {
    const auto line = find_line(std::string_view(buffer_).substr(0, end), at);
    const std::size_t text_end = line ? line->end : find_break(buffer_, at);
    read_field(std::string_view(buffer_).substr(at, text_end - at), event);
    at = line ? line->next : end;
  }
  return event;
}

std::optional<SseEvent> SseFramer::rest() {
  if (consumed_ == buffer_.size()) return std::nullopt;
  buffer_ += "\n\n";
  auto event = take(buffer_.size());
  line_ = searched_ = consumed_;
  return event;
}

void append_event(std::string& out, std::string_view name, std::string_view data) {
  if (!name.empty()) {
    out += "event: ";
    out += name;
    out += '\n';
  }
  while (true) {
    const auto line_end = data.find('\n');
    out += "data: ";
    out += data.substr(0, line_end);
    out += '\n';
    if (line_end == std::string_view::npos) break;
    data.remove_prefix(line_end + 1);
  }
  out += '\n';
}

}  // namespace gatehouse::gateway
