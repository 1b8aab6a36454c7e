// Runs of the base64 alphabet, which has the hexadecimal one in it. Ordinary words are shorter than
// a run that counts, so most of a text is passed over in steps of that size.
#include <algorithm>
#include <span>

#include "inspect/byte_runs.h"
#include "inspect/segments.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t shortest_run = 16;
constexpr std::size_t least_decoded = 12;
constexpr std::size_t most_padding = 2;

constexpr unsigned char no_value = 0xff;
constexpr std::array<unsigned char, 256> make_base64_values() {
  std::array<unsigned char, 256> values{};
  values.fill(no_value);
  for (unsigned i = 0; i < 26; ++i) {
    values['A' + i] = static_cast<unsigned char>(i);
    values['a' + i] = static_cast<unsigned char>(26 + i);
  }
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<unsigned char>(52 + i);
  values['+'] = values['-'] = 62;
  values['/'] = values['_'] = 63;
  return values;
}
constexpr auto base64_values = make_base64_values();

unsigned base64_value(char c) {
  return base64_values[static_cast<unsigned char>(c)];
}

unsigned hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a' + 10) : no_value;
}

// What words and paths have little of, and encoded text much: every third byte of text comes out
// of base64 as a capital or a digit more often than not, and every byte out of hexadecimal with a
// digit.
constexpr std::ptrdiff_t fewest_strong = 2;
bool is_strong(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr unsigned char no_text = 0xff;
// How many bytes follow this first one of a UTF-8 sequence that is text; no_text: it begins none.
constexpr std::array<unsigned char, 256> continuations = [] {
  std::array<unsigned char, 256> all{};
  all.fill(no_text);
  for (unsigned byte = 0x20; byte < 0x7f; ++byte) all[byte] = 0;
  all['\t'] = all['\n'] = all['\r'] = 0;
  for (unsigned byte = 0xc2; byte <= 0xf4; ++byte)
    all[byte] = static_cast<unsigned char>(1 + (byte >= 0xe0 ? 1 : 0) + (byte >= 0xf0 ? 1 : 0));
  return all;
}();

bool may_be_text(unsigned byte) {
  return continuations[byte] != no_text;
}

// What the last bytes of an alignment look like that are not kept: how many of them are text, times
// four, and how many are still to come of a UTF-8 sequence. So few are never given, nor do they
// cover what is (see is_covered).
constexpr unsigned kept_from = 8;
static_assert(kept_from + 4 <= least_decoded);
constexpr unsigned char all_tried = kept_from * 4;

// Kinds of bytes: 0 is no text; then text with 0 to 3 more to come, and one of those.
constexpr unsigned text_byte = 1;
constexpr unsigned continuing_byte = text_byte + 4;
constexpr unsigned byte_kinds = continuing_byte + 1;
constexpr std::array<unsigned char, 256> kinds_of_bytes = [] {
  std::array<unsigned char, 256> all{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (continuations[byte] != no_text) all[byte] = text_byte + continuations[byte];
    if ((byte & 0xc0) == 0x80) all[byte] = continuing_byte;
  }
  return all;
}();

// By what the last bytes look like and the kind of the next one.
constexpr auto trials = [] {
  std::array<std::array<unsigned char, byte_kinds>, all_tried> all{};
  for (unsigned trial = 0; trial < all_tried; ++trial) {
    const unsigned size = trial / 4;
    const unsigned open = trial % 4;
    for (unsigned more = 0; more < 4; ++more)
      all[trial][text_byte + more] =
          static_cast<unsigned char>((open > 0 ? 1 : size + 1) * 4 + more);
    if (open > 0)
      all[trial][continuing_byte] = static_cast<unsigned char>((size + 1) * 4 + open - 1);
  }
  return all;
}();

std::size_t padding_of(std::string_view text) {
  return std::min({text.find_first_not_of('='), text.size(), most_padding});
}

// Line breaks inside wrapped text, as they are and as source code writes them.
std::size_t line_break(std::string_view text) {
  if (text.starts_with("\\r\\n")) return 4;
  if (text.starts_with("\\n")) return 2;
  if (text.starts_with("\r\n")) return 2;
  return text.starts_with('\n') ? 1 : 0;
}

}  // namespace

RunLexer::RunLexer() {
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    decoders_[i].hex = i >= 4;
    decoders_[i].alignment = static_cast<unsigned>(i % 4);
    decoders_[i].builder = SegmentBuilder(decoders_[i].hex ? View::hex : View::base64, false);
  }
}

void RunLexer::restart() {
  at_ = open_from_ = 0;
  in_run_ = false;
  for (Decoder& decoder : decoders_) decoder.builder.clear();
}

void RunLexer::feed(std::string_view text, std::size_t base, bool last, SegmentList& ended) {
  const std::size_t end = base + text.size();
  while (at_ < end) {
    if (!in_run_) {
      at_ = base + find_run(text, at_ - base);
      if (end - at_ < shortest_run) break;
      begin_run(at_);
    }
    while (at_ < end && base64_value(text[at_ - base]) != no_value) {
      take(text[at_ - base], at_, ended);
      ++at_;
    }
    if (at_ == end) break;
    const Wrap how = wrap(text, base, last, ended);
    if (how == Wrap::unknown) break;
    if (how == Wrap::ends) end_run(padding_of(text.substr(at_ - base)), ended);
  }
  if (last && in_run_) end_run(0, ended);
  update_open();
}

// Where the first run of enough characters begins that may be an encoding; without one, where the
// text ends or the last run begins that is too short so far.
std::size_t RunLexer::find_run(std::string_view text, std::size_t from) {
  static_assert(shortest_run == 16);  // as in next_base64_run
  const std::size_t least = from;
  while ((from = next_base64_run(text, from)) < text.size()) {
    const std::string_view run = text.substr(from, shortest_run);
    if (std::ranges::count_if(run, is_strong) >= fewest_strong) return from;
    std::size_t next = from + shortest_run;
    while (next < text.size() && base64_value(text[next]) != no_value && !is_strong(text[next]))
      ++next;
    from = next - shortest_run + 1;
  }
  std::size_t begin = text.size();
  while (begin > least && text.size() - begin < shortest_run - 1 &&
         base64_value(text[begin - 1]) != no_value)
    --begin;
  return begin;
}

void RunLexer::begin_run(std::size_t at) {
  in_run_ = true;
  taken_ = hex_taken_ = 0;
  given_to_.fill(at);
  for (Decoder& decoder : decoders_) {
    decoder.continuation = decoder.trial = 0;
    decoder.builder.clear();
  }
}

// A decoded byte: text goes on, or ends here and may begin again.
[[gnu::always_inline]] inline void RunLexer::add(Decoder& decoder, unsigned byte,
                                                 std::size_t number, SegmentList& ended) {
  if (!decoder.builder.empty()) {
    if (decoder.continuation > 0 && (byte & 0xc0) == 0x80) {
      --decoder.continuation;
      return keep(decoder, byte, number, ended);
    }
    if (decoder.continuation == 0 && may_be_text(byte)) {
      decoder.continuation = continuations[byte];
      return keep(decoder, byte, number, ended);
    }
    finish(decoder, ended);
  }
  decoder.trial = trials[decoder.trial][kinds_of_bytes[byte]];
  if (decoder.trial >= all_tried) begin_segment(decoder, number, ended);
}

// One character of a run completes a group of one alignment of base64.
void RunLexer::take(char c, std::size_t at, SegmentList& ended) {
  character(taken_) = {at, c};
  value_ = (value_ << 6 | base64_value(c)) & 0xffffff;
  if (++taken_ >= 4) {
    Decoder& decoder = decoders_[taken_ % 4];
    const std::uint32_t value = value_;
    add(decoder, value >> 16, taken_ - 4, ended);
    add(decoder, value >> 8 & 0xff, taken_ - 3, ended);
    add(decoder, value & 0xff, taken_ - 2, ended);
  }
  take_hex(c, ended);
}

void RunLexer::take_hex(char c, SegmentList& ended) {
  const unsigned digit = hex_value(c);
  if (digit == no_value) {  // the alphabet ends here, and begins anew behind it
    if (hex_taken_ == 0) return;
    hex_taken_ = 0;
    for (std::size_t i = 4; i < 6; ++i) finish(decoders_[i], ended);
    return;
  }
  hex_value_ = (hex_value_ << 4 | digit) & 0xff;
  if (++hex_taken_ >= 2) add(decoders_[4 + hex_taken_ % 2], hex_value_, taken_ - 2, ended);
}

// Enough bytes up to this one are text.
void RunLexer::begin_segment(Decoder& decoder, std::size_t number, SegmentList& ended) {
  decoder.continuation = decoder.trial % 4;
  decoder.trial = 0;
  for (unsigned left = kept_from; left > 0; --left) {
    const std::size_t one = first_of(decoder, number, left);
    keep(decoder, byte_of(decoder, one), one, ended);
  }
}

void RunLexer::keep(Decoder& decoder, unsigned byte, std::size_t number, SegmentList& ended) {
  decoder.builder.add(static_cast<char>(byte), character(number).at, character(number + 1).at + 1,
                      ended);
}

unsigned RunLexer::byte_of(const Decoder& decoder, std::size_t number) {
  const char one = character(number).byte;
  const char two = character(number + 1).byte;
  if (decoder.hex) return hex_value(one) << 4 | hex_value(two);
  const std::size_t phase = (number - decoder.alignment) % 4;
  return (base64_value(one) << (2 + 2 * phase) | base64_value(two) >> (4 - 2 * phase)) & 0xff;
}

// The first of so many bytes of which this one is the last.
std::size_t RunLexer::first_of(const Decoder& decoder, std::size_t number, unsigned bytes) const {
  const std::size_t back = bytes - 1;
  if (decoder.hex) return number - 2 * back;
  const std::size_t phase = (number - decoder.alignment) % 4;
  return number - back - (back + 2 - phase) / 3;  // no byte begins with the last of four
}

void RunLexer::finish(Decoder& decoder, SegmentList& ended) {
  decoder.continuation = decoder.trial = 0;
  if (decoder.builder.empty()) return;
  if (decoder.builder.size() < least_decoded || is_covered(decoder)) return decoder.builder.clear();
  given_to_[decoder.hex ? 1 : 0] = decoder.builder.end();
  decoder.builder.finish(least_decoded, ended);
}

// Whether another alignment of the alphabet gave, or is giving, this stretch of the run.
bool RunLexer::is_covered(const Decoder& decoder) const {
  if (decoder.builder.end() <= given_to_[decoder.hex ? 1 : 0]) return true;
  return std::ranges::any_of(decoders_, [&decoder](const Decoder& other) {
    return &other != &decoder && other.hex == decoder.hex && !other.builder.empty() &&
           other.builder.begin() < decoder.builder.begin() &&
           other.builder.end() + 4 >= decoder.builder.end();
  });
}

// At a character of another alphabet: whether the run goes on behind it.
RunLexer::Wrap RunLexer::wrap(std::string_view text, std::size_t base, bool last,
                              SegmentList& ended) {
  const bool alive = std::ranges::any_of(
      decoders_, [](const Decoder& decoder) { return decoder.builder.size() >= least_decoded; });
  if (!alive) return Wrap::ends;
  const std::string_view rest = text.substr(at_ - base);
  std::size_t next = line_break(rest);
  if (next == 0) {
    if (rest.size() < most_padding && padding_of(rest) == rest.size() && !last)
      return Wrap::unknown;
    const bool cut = rest == "\\" || rest == "\\r" || rest == "\\r\\" || rest == "\r";
    return cut && !last ? Wrap::unknown : Wrap::ends;
  }
  const std::size_t most = next + 32;
  while (next < std::min(rest.size(), most) && (rest[next] == ' ' || rest[next] == '\t')) ++next;
  if (next == rest.size()) return last ? Wrap::ends : Wrap::unknown;
  if (base64_value(rest[next]) == no_value) return Wrap::ends;
  for (Decoder& decoder : decoders_)
    if (decoder.builder.size() < least_decoded) finish(decoder, ended);
  at_ += next;
  return Wrap::goes_on;
}

// `padding` belongs to a last group that it fills.
void RunLexer::end_run(std::size_t padding, SegmentList& ended) {
  for (Decoder& decoder : std::span(decoders_).first(4)) {  // a last group of base64
    SegmentBuilder& builder = decoder.builder;
    const std::size_t size = (taken_ - decoder.alignment) % 4;
    if (size < 2 || builder.empty()) continue;
    const bool waited = builder.size() >= least_decoded;  // for what follows: see wrap()
    for (std::size_t number = taken_ - size; number + 1 < taken_; ++number)
      add(decoder, byte_of(decoder, number), number, ended);
    if (waited && size + padding >= 4 && !builder.empty() && builder.end() == at_)
      builder.stretch(at_ + 4 - size);
  }
  while (Decoder* const first = first_alive()) finish(*first, ended);
  in_run_ = false;
}

// That whose text begins first; null if none has any.
RunLexer::Decoder* RunLexer::first_alive() {
  Decoder* first = nullptr;
  for (Decoder& decoder : decoders_) {
    if (decoder.builder.empty()) continue;
    if (first == nullptr || decoder.builder.begin() < first->builder.begin()) first = &decoder;
  }
  return first;
}

// What is under way holds what follows it.
void RunLexer::update_open() {
  open_from_ = at_;
  if (!in_run_) return;
  for (const Decoder& decoder : decoders_) {
    if (!decoder.builder.empty()) open_from_ = std::min(open_from_, decoder.builder.begin());
    if (decoder.trial == 0) continue;
    const std::size_t first = first_of(decoder, last_of(decoder), decoder.trial / 4);
    open_from_ = std::min(open_from_, character(first).at);
  }
  // Groups under way have at most three characters.
  if (taken_ > 0)
    open_from_ = std::min(open_from_, character(taken_ - std::min<std::size_t>(taken_, 3)).at);
}

// The last byte that was decoded.
std::size_t RunLexer::last_of(const Decoder& decoder) const {
  if (decoder.hex) return taken_ - 2 - (hex_taken_ - decoder.alignment) % 2;
  return taken_ - 2 - (taken_ - decoder.alignment) % 4;
}

}  // namespace gatehouse::inspect
