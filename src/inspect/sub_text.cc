#include "inspect/sub_text.h"

#include <algorithm>
#include <numeric>

#include "base/json.h"
#include "inspect/placeholders.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect {
namespace {

// Bytes no longer needed are dropped in lumps of at least this size.
constexpr std::size_t forget_at_least = 4096;
// What is only watched is searched in lumps: the larger, the less is asked what could still go on.
constexpr std::size_t watch_at_least = 32u << 10;

constexpr std::string_view placeholder_begins = "[\\";

// So many letters and digits beside a placeholder may be a value of their own.
constexpr std::ptrdiff_t least_beside_placeholder = 4;

std::ptrdiff_t count_word_bytes(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  });
}

// How long the UTF-8 sequence that begins with this byte says it is.
std::size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  if (byte >= 0xc0) return 2;
  return 1;
}

Categories watched_by(const FilterPlan& plan, const Scanner::Impl& scanner) {
  return plan.watch ? ~plan.redact & scanner.watched : Categories();
}

}  // namespace

SubText::SubText(Scanner::Impl& scanner, const FilterPlan& plan, FilterTally& tally)
    : scanner_(scanner),
      plan_(plan),
      tally_(tally),
      redacting_(scanner, plan.redact),
      watching_(scanner, watched_by(plan, scanner)),
      both_(scanner, plan.redact | watched_by(plan, scanner)) {}

void SubText::begin(std::string_view context, std::size_t raw_begin, bool json) {
  text_.assign(context);
  base_ = 0;
  emitted_ = context_size_ = context.size();
  raw_begin_ = raw_begin;
  json_ = json;
  escapes_ = false;
  untouched_ = true;
  watched_to_ = 0;
  folded_.restart();
  for (Matcher* matcher : {&redacting_, &watching_, &both_})
    matcher->restart(context.size(), folded_.first_run());
}

void SubText::feed(std::string_view text) {
  text_ += text;
  if (!escapes_) return;
  raw_ += text;
  const std::size_t known = raw_at_.size();
  raw_at_.resize(known + text.size());
  std::iota(raw_at_.begin() + static_cast<std::ptrdiff_t>(known), raw_at_.end(), raw_size_);
  raw_size_ += text.size();
}

void SubText::feed_escape(std::string_view raw, std::string_view decoded) {
  if (!escapes_) mark_escapes();
  text_ += decoded;
  raw_ += raw;
  raw_at_.push_back(raw_size_);
  raw_size_ += raw.size();
  raw_at_.resize(raw_at_.size() + decoded.size() - 1, raw_size_);
}

// From here on raw and decoded text differ: write down how they correspond.
void SubText::mark_escapes() {
  escapes_ = true;
  const std::size_t context = context_size_ - std::min(context_size_, base_);
  raw_.assign(text_, context);
  raw_base_ = base_ + context - context_size_;
  raw_size_ = raw_base_ + raw_.size();
  raw_at_.assign(text_.size(), 0);
  std::iota(raw_at_.begin() + static_cast<std::ptrdiff_t>(context), raw_at_.end(), raw_base_);
}

std::size_t SubText::raw_offset(std::size_t position) const {
  if (!escapes_) return position - context_size_;
  return position == end() ? raw_size_ : raw_at_[position - base_];
}

void SubText::advance(std::string& out, bool last) {
  if (last && untouched_) return advance_whole(out);
  untouched_ = false;
  folded_.update(text_, base_, last);
  if (last || end() - watched_to_ >= watch_at_least) watch(last);
  found_.clear();
  redacting_.advance(folded_, last, found_);
  for (const Match& match : found_)
    if (redact(out, match)) report(match, tally_.redacted);
  const std::size_t settled = std::min(redacting_.settled(), end());
  emit_text(out, last ? end() : whole_characters(settled), last);
  if (!last) forget();
}

// Nobody waits for what is only reported: it is looked for in lumps.
void SubText::watch(bool last) {
  watched_to_ = end();
  found_.clear();
  watching_.advance(folded_, last, found_);
  for (const Match& match : found_) report(match, tally_.watched);
}

// A run that came whole is searched once for all categories. Each category's matches are chosen
// apart (matcher.h), so that this finds what the two searches find.
void SubText::advance_whole(std::string& out) {
  found_.clear();
  folded_.update(text_, base_, true);
  both_.advance(folded_, true, found_);
  for (const Match& match : found_) {
    if (!plan_.redact.test(scanner_.category_of(match.rule))) {
      report(match, tally_.watched);
    } else if (redact(out, match)) {
      report(match, tally_.redacted);
    }
  }
  emit_text(out, end(), true);
}

void SubText::report(const Match& match, std::size_t& counter) {
  if (counter++ >= plan_.max_findings) return;
  tally_.findings.push_back(
      {match.rule, scanner_.rules->rules()[match.rule].category,
       Span{raw_begin_ + raw_offset(match.begin), raw_begin_ + raw_offset(match.end)},
       match.p_value, match.view});
}

// Of a match that holds known placeholders, which are put back, only what lies beside them goes,
// and nothing of what is spared.
// Whether anything went.
bool SubText::redact(std::string& out, const Match& match) {
  if (match.end <= emitted_) return true;  // it went with a match of the other category
  bool replaced = false;
  Span known = known_placeholder(match.begin, match.end);
  const bool holds_known = known.begin < match.end;
  emit_text(out, std::min(match.begin, known.begin), true);
  while (emitted_ < match.end) {
    const std::string_view value = between(emitted_, known.begin);
    const bool spared = !value.empty() && plan_.spare.find(value) != std::string_view::npos;
    if (spared || (holds_known && count_word_bytes(value) < least_beside_placeholder)) {
      emit_text(out, known.end, true);
    } else {
      replace(out, match.rule, value);
      emit_text(out, known.end, true);
      replaced = true;
    }
    known = known_placeholder(emitted_, match.end);
  }
  return replaced;
}

void SubText::replace(std::string& out, std::uint32_t rule, std::string_view value) {
  Placeholders* names = plan_.masks != nullptr ? plan_.masks : plan_.placeholders;
  out += names->placeholder_for(scanner_.rules->rules()[rule].kind, value);
  emitted_ += value.size();
}

// Where text[from, to) first overlaps a known placeholder that is put back; {to, to} where it does
// not. Of what follows a match no more than one byte is sure to be known.
Span SubText::known_placeholder(std::size_t from, std::size_t to) const {
  if (!plan_.restore || plan_.placeholders->empty()) return {to, to};
  const std::size_t longest = most_written_for_each * plan_.placeholders->longest_placeholder();
  const std::size_t first = std::max(emitted_, from - std::min(from, longest));
  const std::string_view run = between(first, std::min(to + 1, end()));
  for (std::size_t at = run.find_first_of(placeholder_begins); at != std::string_view::npos;
       at = run.find_first_of(placeholder_begins, at + 1)) {
    const WrittenPlaceholder written = read_placeholder(run.substr(at));
    const std::size_t end = first + at + written.length;
    if (written.length == 0 || first + at >= to || end <= from) continue;
    if (plan_.placeholders->value_of(written.name) != nullptr) return {first + at, end};
  }
  return {to, to};
}

// Lets go [emitted_, to), placeholders restored. Unless `closed`, an end that could become a known
// placeholder stays.
void SubText::emit_text(std::string& out, std::size_t to, bool closed) {
  if (to <= emitted_) return;
  if (!plan_.restore || plan_.placeholders->empty()) return emit_raw(out, to);
  const std::string_view run = std::string_view(text_).substr(0, to - base_);
  for (std::size_t at = run.find_first_of(placeholder_begins, emitted_ - base_);
       at != std::string_view::npos; at = run.find_first_of(placeholder_begins, at + 1)) {
    const WrittenPlaceholder written = read_placeholder(run.substr(at));
    if (written.unfinished && !closed && plan_.placeholders->begins_known(written.name))
      return emit_raw(out, base_ + at);
    if (written.length == 0) continue;
    if (const std::string* value = plan_.placeholders->value_of(written.name)) {
      emit_raw(out, base_ + at);
      restore(out, *value, base_ + at + written.length);
      at += written.length - 1;
    }
  }
  emit_raw(out, to);
}

void SubText::restore(std::string& out, const std::string& value, std::size_t to) {
  if (json_) {
    append_json_escaped(out, value);
  } else {
    out += value;
  }
  emitted_ = to;
  ++tally_.restored;
}

void SubText::emit_raw(std::string& out, std::size_t to) {
  if (escapes_) {
    const std::size_t begin = raw_offset(emitted_);
    out.append(raw_, begin - raw_base_, raw_offset(to) - begin);
  } else {
    out.append(text_, emitted_ - base_, to - emitted_);
  }
  emitted_ = to;
}

// `limit`, or less where it would cut a UTF-8 sequence that may still be completed.
std::size_t SubText::whole_characters(std::size_t limit) const {
  const std::string_view text = text_;
  for (std::size_t back = 1; back <= 3 && limit >= emitted_ + back; ++back) {
    const char c = text[limit - base_ - back];
    if (is_continuation(c)) continue;
    const bool cut =
        sequence_length(c) > back && (limit == end() || is_continuation(text[limit - base_]));
    return cut ? limit - back : limit;
  }
  return limit;
}

void SubText::forget() {
  const std::size_t folded = std::min(redacting_.needed_from(), watching_.needed_from());
  const std::size_t keep = std::min(emitted_, folded_.source_at(folded));
  folded_.forget_before(folded, std::min(redacting_.needed_run(), watching_.needed_run()));
  if (keep < base_ + forget_at_least) return;
  const std::size_t drop = keep - base_;
  if (escapes_) {
    const std::size_t raw_drop = raw_offset(keep) - raw_base_;
    raw_.erase(0, raw_drop);
    raw_base_ += raw_drop;
    raw_at_.erase(raw_at_.begin(), raw_at_.begin() + static_cast<std::ptrdiff_t>(drop));
  }
  text_.erase(0, drop);
  base_ = keep;
}

}  // namespace gatehouse::inspect
