// Runs of the base64 alphabet, which has the hexadecimal one in it. Ordinary words are shorter than
// a run that counts, so most of a text is passed over in steps of that size.
#include <algorithm>

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
    decoder.continuation = 0;
    decoder.builder.clear();
  }
}

// One character of a run completes a group of one alignment of base64.
void RunLexer::take(char c, std::size_t at, SegmentList& ended) {
  value_ = (value_ << 6 | base64_value(c)) & 0xffffff;
  places_ = {places_[1], places_[2], places_[3], at};
  if (++taken_ >= 4) add_group(decoders_[taken_ % 4], ended);
  take_hex(c, at, ended);
}

void RunLexer::take_hex(char c, std::size_t at, SegmentList& ended) {
  const unsigned digit = hex_value(c);
  if (digit == no_value) {  // the alphabet ends here, and begins anew behind it
    if (hex_taken_ == 0) return;
    hex_taken_ = 0;
    for (std::size_t i = 4; i < 6; ++i) finish(decoders_[i], ended);
    return;
  }
  hex_value_ = (hex_value_ << 4 | digit) & 0xff;
  if (++hex_taken_ >= 2) add(decoders_[4 + hex_taken_ % 2], hex_value_, places_[2], at + 1, ended);
}

// The three bytes of the last four characters.
void RunLexer::add_group(Decoder& decoder, SegmentList& ended) {
  const unsigned first = value_ >> 16;
  const unsigned second = value_ >> 8 & 0xff;
  const unsigned third = value_ & 0xff;
  if (decoder.builder.empty() && !may_be_text(first) && !may_be_text(second) && !may_be_text(third))
    return;
  add(decoder, first, places_[0], places_[1] + 1, ended);
  add(decoder, second, places_[1], places_[2] + 1, ended);
  add(decoder, third, places_[2], places_[3] + 1, ended);
}

// A decoded byte: text goes on, or ends here and may begin again.
void RunLexer::add(Decoder& decoder, unsigned byte, std::size_t begin, std::size_t end,
                   SegmentList& ended) {
  if (decoder.continuation > 0 && (byte & 0xc0) == 0x80) {
    --decoder.continuation;
  } else {
    if (decoder.continuation > 0) finish(decoder, ended);
    if (!may_be_text(byte)) {
      if (!decoder.builder.empty()) finish(decoder, ended);
      return;
    }
    decoder.continuation = continuations[byte];
  }
  decoder.builder.add(static_cast<char>(byte), begin, end, ended);
}

void RunLexer::finish(Decoder& decoder, SegmentList& ended) {
  decoder.continuation = 0;
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
  for (std::size_t i = 0; i < std::min<std::size_t>(taken_, 4); ++i) {  // a last group of base64
    const std::size_t size = (taken_ - i) % 4;
    if (size < 2) continue;
    SegmentBuilder& builder = decoders_[i].builder;
    const bool waited = builder.size() >= least_decoded;  // for what follows: see wrap()
    const std::uint32_t value = value_ << 6 * (4 - size);
    for (std::size_t byte = 0; byte + 1 < size; ++byte)
      add(decoders_[i], value >> (16 - 8 * byte) & 0xff, places_[4 - size + byte],
          places_[5 - size + byte] + 1, ended);
    if (waited && size + padding >= 4 && !builder.empty() && builder.end() == at_)
      builder.stretch(at_ + 4 - size);
  }
  std::array<Decoder*, 6> order{};
  std::ranges::transform(decoders_, order.begin(), [](Decoder& decoder) { return &decoder; });
  std::ranges::sort(order, {}, [](const Decoder* decoder) {
    return std::pair(decoder->builder.empty() ? 0 : decoder->builder.begin(), decoder);
  });
  for (Decoder* decoder : order) finish(*decoder, ended);
  in_run_ = false;
}

// What is under way holds what follows it.
void RunLexer::update_open() {
  open_from_ = at_;
  if (!in_run_) return;
  for (const Decoder& decoder : decoders_)
    if (!decoder.builder.empty()) open_from_ = std::min(open_from_, decoder.builder.begin());
  // Groups under way have at most three characters.
  if (taken_ > 0) open_from_ = std::min(open_from_, places_[4 - std::min<std::size_t>(taken_, 3)]);
}

}  // namespace gatehouse::inspect
