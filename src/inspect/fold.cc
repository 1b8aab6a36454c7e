// Escapes are read as they grow: a byte that may begin one opens it, a byte that completes it puts
// the character in its place, which may in turn belong to an escape that was open before. So
// nesting costs nothing, and what is undecided is what is open.
#include "inspect/fold.h"

#include <algorithm>

#include "inspect/escape.h"
#include "inspect/joints.h"
#include "inspect/rule_source.h"
#include "inspect/unicode.h"

namespace gatehouse::inspect {
namespace {

constexpr unsigned deepest_escape = 3;
// More than can become one character, each in the other: an opener of the deepest escape and the
// sequence of UTF-8 it belongs to.
constexpr std::size_t most_openers = 6;
constexpr std::size_t forget_at_least = 4096;
constexpr std::size_t longest_byte_escape = 4;  // \xde
// A run of hidden characters goes on as another one; so that no stream waits long for its end.
constexpr std::size_t longest_run = 8u << 10;
// So much that is not seen is a wall, in which no match has room.
constexpr std::size_t longest_unseen = 16u << 10;
constexpr std::size_t wall_size = long_width + 1024;

constexpr std::string_view c2pa_magic{"C2PATXT\0", 8};

bool is_lead(char byte) {
  return static_cast<unsigned char>(byte) >= 0xc2 && static_cast<unsigned char>(byte) <= 0xf4;
}

// A UTF-8 sequence written as escapes of its bytes.
EscapeReading read_sequence(std::string_view bytes) {
  const Decoded decoded = decode_utf8(bytes);
  if (decoded.size == 0) return {EscapeReading::State::open, 0, false};
  if (decoded.size == 1) return {};
  return {EscapeReading::State::done, decoded.code, false};
}

EscapeReading read_open(std::string_view bytes) {
  return begins_escape(bytes[0]) ? read_escape(bytes) : read_sequence(bytes);
}

void count(HiddenRun& run, char32_t code) {
  run.tags += is_tag(code) ? 1u : 0u;
  run.selectors += is_variation_selector(code) ? 1u : 0u;
  run.zero_width += is_zero_width(code) ? 1u : 0u;
  run.overrides += is_direction_override(code) ? 1u : 0u;
}

// Whether no reader sees the character, and it is no mark on a letter.
bool is_hidden(char32_t code) {
  return is_tag(code) || is_variation_selector(code) || is_zero_width(code) ||
         is_direction_override(code);
}

void spell(HiddenRun& run, char32_t code) {
  if (code >= 0xe0020 && code < 0xe007f) run.tag_text += static_cast<char>(code - 0xe0000);
  if (!is_variation_selector(code)) return;
  const char32_t byte = code < 0xe0100 ? code - 0xfe00 : code - 0xe0100 + 16;
  run.selector_bytes += static_cast<char>(byte);
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// The text with those of its characters folded that `wanted` wants.
template <class Wanted>
std::string fold_some(std::string_view text, const Wanted& wanted) {
  std::string out;
  while (!text.empty()) {
    const bool ascii = static_cast<unsigned char>(text[0]) < 0x80;
    const Decoded decoded = ascii ? Decoded{0, 1} : decode_utf8(text);
    const std::size_t size = std::max<std::size_t>(decoded.size, 1);
    const Folding folding = decoded.code == 0 ? Folding{} : fold_of(decoded.code);
    const bool folds = folding.kind != Folding::Kind::itself && wanted(folding);
    out += folds ? folding.text : text.substr(0, size);
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

void FoldedText::restart() {
  source_ = {};
  source_base_ = taken_ = decided_ = seen_to_ = 0;
  walled_ = false;
  before_ = 0;
  plain_ = true;
  folded_.clear();
  folded_base_ = 0;
  map_.clear();
  open_.clear();
  open_bytes_.clear();
  openers_.clear();
  first_run_ += runs_.size();
  runs_.clear();
  run_open_ = false;
}

void FoldedText::update(std::string_view source, std::size_t base, bool last) {
  source_ = source;
  source_base_ = base;
  if (plain_) {
    const bool plain = stays_plain(last);
    decided_ = taken_;
    if (plain) return;
    begin_folding();
  }
  fold(last);
  decided_ = open_.empty() ? taken_ : open_[0].source.begin;
}

// Whether the text, as far as it can be decided, is what it is.
bool FoldedText::stays_plain(bool last) {
  while (true) {
    const std::size_t next = source_base_ + find_special(source_, taken_ - source_base_);
    if (next > taken_) before_ = source_[next - 1 - source_base_];
    taken_ = next;
    const std::string_view rest = source_.substr(taken_ - source_base_);
    if (rest.empty()) return true;
    if (!begins_joint(rest[0])) return false;
    const auto joint = joint_size(rest, before_, last);
    if (joint != 0) return !joint;
    before_ = rest[0];
    ++taken_;
  }
}

// The first special byte has come: from here on the folded text is a text of its own.
void FoldedText::begin_folding() {
  plain_ = false;
  const std::size_t known = taken_ - source_base_;
  folded_.assign(source_, 0, known);
  folded_base_ = source_base_;
  map_.add_plain(folded_base_, source_base_, known);
  seen_to_ = taken_;
}

void FoldedText::fold(bool last) {
  const std::size_t end = source_base_ + source_.size();
  while (taken_ < end) {
    if (open_.empty()) take_plain(source_base_ + find_special(source_, taken_ - source_base_));
    if (taken_ == end) break;
    const char c = source_[taken_ - source_base_];
    if (open_.empty() && begins_joint(c)) {
      if (!take_joint(last)) break;
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      if (!take_character(last)) break;
    } else {
      if (!is_unseen_control(c)) {
        close_run(static_cast<unsigned char>(c));
        push({c, 0, {taken_, taken_ + 1}});
      } else {
        add_unseen({taken_, taken_ + 1});
      }
      ++taken_;
    }
  }
  if (last) finish();
}

// Bytes that are what they are.
void FoldedText::take_plain(std::size_t to) {
  if (to == taken_) return;
  close_run(static_cast<unsigned char>(source_[taken_ - source_base_]));
  map_.add_plain(end(), taken_, to - taken_);
  folded_.append(source_, taken_ - source_base_, to - taken_);
  before_ = folded_.back();
  taken_ = seen_to_ = to;
  walled_ = false;
}

// What may be a joint; false when only what follows can tell.
bool FoldedText::take_joint(bool last) {
  const auto size = joint_size(source_.substr(taken_ - source_base_), before_, last);
  if (!size) return false;
  if (*size == 0) {
    take_plain(taken_ + 1);
  } else {
    add_unseen({taken_, taken_ + *size});
    taken_ += *size;
  }
  return true;
}

// One character beyond ASCII; false when the rest of it has yet to come.
bool FoldedText::take_character(bool last) {
  const std::string_view rest = source_.substr(taken_ - source_base_);
  const Decoded decoded = decode_utf8(rest);
  if (decoded.size == 0 && !last) return false;
  const std::size_t size = std::max<std::size_t>(decoded.size, 1);
  const Span source{taken_, taken_ + size};
  if (decoded.code == 0) {
    close_run(0);
    flush(open_.size());
    take_plain(source.end);
    return true;
  }
  character(decoded.code, 0, source);
  taken_ = source.end;
  return true;
}

void FoldedText::character(char32_t code, unsigned depth, Span source) {
  if (code < 0x80) {
    const char c = static_cast<char>(code);
    if (is_unseen_control(c)) return add_unseen(source);
    return push({c, static_cast<std::uint8_t>(depth), source});
  }
  const Folding folding = fold_of(code);
  if (folding.kind == Folding::Kind::nothing) {
    if (is_hidden(code)) add_hidden(code, source);
    return add_unseen(source);
  }
  close_run(code);
  if (folding.kind == Folding::Kind::text) {
    for (const char c : folding.text) push({c, static_cast<std::uint8_t>(depth), source});
    return;
  }
  flush(open_.size());
  if (depth == 0) {
    map_.add_plain(end(), source.begin, source.end - source.begin);
    folded_.append(source_, source.begin - source_base_, source.end - source.begin);
    before_ = folded_.back();
    seen_to_ = source.end;
    walled_ = false;
    return;
  }
  std::string bytes;
  append_utf8(bytes, code);
  for (const char byte : bytes) commit(byte, source);
}

// Adds a byte to what is open, or to the text when nothing is.
void FoldedText::push(Element element) {
  const bool opens = element.depth < deepest_escape && begins_escape(element.byte);
  const bool leads = element.depth > 0 && is_lead(element.byte);
  if (openers_.empty() && !opens && !leads) return commit_open(element);
  open_.push_back(element);
  open_bytes_ += element.byte;
  if (openers_.empty()) {
    openers_.push_back(0);
    return;
  }
  const std::size_t opener = openers_.back();
  const EscapeReading reading = read_open(std::string_view(open_bytes_).substr(opener));
  switch (reading.state) {
    case EscapeReading::State::open:
      return;
    case EscapeReading::State::done:
      return complete(reading);
    case EscapeReading::State::done_before:
      if (opens && element.byte != '&') break;  // the semicolon may be written as an escape
      open_.pop_back();
      open_bytes_.pop_back();
      complete(reading);
      return push(element);
    case EscapeReading::State::dead:
      break;
  }
  if (!opens && !leads) return flush(open_.size());
  openers_.push_back(open_.size() - 1);
  if (openers_.size() > most_openers) flush(openers_[1]);
}

// Puts the character in the place of the escape that ends what is open.
void FoldedText::complete(const EscapeReading& reading) {
  const std::size_t opener = openers_.back();
  const bool is_escape = begins_escape(open_[opener].byte);
  unsigned depth = is_escape ? 1 : 0;
  const auto deeper = [](const Element& a, const Element& b) { return a.depth < b.depth; };
  depth +=
      std::max_element(open_.begin() + static_cast<std::ptrdiff_t>(opener), open_.end(), deeper)
          ->depth;
  if (depth > deepest_escape) return flush(open_.size());
  const Span source{open_[opener].source.begin, open_.back().source.end};
  open_.resize(opener);
  open_bytes_.resize(opener);
  openers_.pop_back();
  if (reading.is_byte && reading.code >= 0x80) {
    push({static_cast<char>(reading.code), static_cast<std::uint8_t>(depth), source});
  } else {
    character(reading.code, depth, source);
  }
}

// The first `size` of what is open stay as they are.
void FoldedText::flush(std::size_t size) {
  for (std::size_t at = 0; at < size; ++at) commit_open(open_[at]);
  open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(size));
  open_bytes_.erase(0, size);
  std::erase_if(openers_, [size](std::size_t opener) { return opener < size; });
  for (std::size_t& opener : openers_) opener -= size;
}

// Nothing follows.
void FoldedText::finish() {
  if (!openers_.empty()) {
    const EscapeReading reading =
        read_escape_at_end(std::string_view(open_bytes_).substr(openers_.back()));
    if (reading.state == EscapeReading::State::done_before) complete(reading);
  }
  flush(open_.size());
  close_run(0);
}

void FoldedText::commit(char byte, Span source) {
  if (source.end - source.begin == 1) {
    map_.add_plain(end(), source.begin, 1);
  } else {
    map_.add_byte(end(), source);
  }
  folded_ += byte;
  before_ = byte;
  seen_to_ = source.end;
  walled_ = false;
}

// A byte beyond ASCII that an escape gave and that is no part of a character was none: "%define".
// It stays as it is written.
void FoldedText::commit_open(const Element& element) {
  const Span source = element.source;
  const std::size_t size = source.end - source.begin;
  const bool alone = static_cast<unsigned char>(element.byte) >= 0x80 && size > 1;
  std::string written;
  if (alone) written = fold_characters(source_.substr(source.begin - source_base_, size));
  std::erase_if(written, is_unseen_control);
  if (written.empty() || written.size() > longest_byte_escape) return commit(element.byte, source);
  for (std::size_t at = 0; at < written.size(); ++at) {
    const std::size_t begin = source.begin + at;
    commit(written[at], written.size() == size ? Span{begin, begin + 1} : source);
  }
}

// Something that folds to nothing. Where that goes on and on, no match goes on behind it.
void FoldedText::add_unseen(Span source) {
  const std::size_t from = open_.empty() ? seen_to_ : open_.back().source.end;
  if (walled_ || source.end < from + longest_unseen) return;
  flush(open_.size());
  if (!run_open_) {
    begin_run(0, source);
    runs_.back().long_unseen = true;
    close_run(0);
  } else {
    runs_.back().long_unseen = true;
  }
  map_.add_nothing(end(), source.end);
  folded_.append(wall_size, '\n');
  before_ = '\n';
  seen_to_ = source.end;
  walled_ = true;
}

void FoldedText::add_hidden(char32_t code, Span source) {
  if (run_open_ && source.end - runs_.back().source.begin > longest_run) {
    const bool wrapper = runs_.back().wrapper;
    close_run(code);
    begin_run(code, source);
    runs_.back().wrapper = wrapper;
  } else if (!run_open_) {
    begin_run(code, source);
  }
  HiddenRun& run = runs_.back();
  run.source.end = source.end;
  count(run, code);
  spell(run, code);
  if (run.marked && run.selector_bytes.starts_with(c2pa_magic)) run.wrapper = true;
}

void FoldedText::begin_run(char32_t code, Span source) {
  HiddenRun run;
  run.source = source;
  run.folded = end();
  run.before = last_character(source_.substr(0, source.begin - source_base_));
  run.at_start = source.begin == 0;
  run.marked = code == 0xfeff;
  runs_.push_back(std::move(run));
  run_open_ = true;
}

void FoldedText::close_run(char32_t after) {
  if (!run_open_) return;
  runs_.back().after = after;
  run_open_ = false;
}

Span FoldedText::source_of(std::size_t begin, std::size_t end) const {
  return plain_ ? Span{begin, end} : map_.source_of(begin, end);
}

std::size_t FoldedText::source_at(std::size_t position) const {
  if (plain_) return position;
  return position == end() ? decided_ : map_.source_of(position, position + 1).begin;
}

bool FoldedText::is_plain(std::size_t begin, std::size_t end) const {
  return plain_ || map_.is_plain(begin, end);
}

void FoldedText::forget_before(std::size_t folded, std::size_t run) {
  if (run > first_run_) {
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(run - first_run_));
    first_run_ = run;
  }
  if (plain_ || folded < folded_base_ + forget_at_least) return;
  folded_.erase(0, folded - folded_base_);
  folded_base_ = folded;
  map_.forget_before(folded);
}

std::string fold_text(std::string_view text) {
  FoldedText folded;
  folded.update(text, 0, true);
  return std::string(folded.text());
}

std::string fold_characters(std::string_view text) {
  return fold_some(text, [](const Folding& /*folding*/) { return true; });
}

std::string fold_letters(std::string_view text) {
  return fold_some(text, [](const Folding& folding) {
    return !folding.text.empty() && std::ranges::all_of(folding.text, is_letter_or_digit);
  });
}

}  // namespace gatehouse::inspect
