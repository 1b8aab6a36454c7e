// Stretches of a folded text that are another text written otherwise: base64 and hexadecimal (in
// runs or in pairs), characters spaced out. Two lexers that see each byte about once, as the text
// grows, and give each such stretch when it ends: decoded, with the place of every decoded byte.
//
// A stretch is alive while what it decodes to so far is text: printable UTF-8. Inside runs of the
// base64 and hex alphabets every alignment is tried, so nothing in front of a stretch hides it.
//
// Invariants
//   1. What is given does not depend on how the text was cut.
//   2. Every segment not yet given begins at or after open_from().
//   3. A stretch that goes on for 8 KiB is given in pieces; each but the last counts only for
//      matches that begin in front of its last 1 KiB, with which the next one begins.
// Linear time; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"

namespace gatehouse::inspect {

// One such stretch. Its text and the place of each byte are in the list it belongs to.
struct Segment {
  View view = View::base64;
  std::size_t begin = 0;    // position in the folded text
  std::size_t at = 0;       // of its text in the list
  std::size_t size = 0;     // of its text
  std::size_t counted = 0;  // matches that begin below count
  // Taken out of its surroundings only where a match is all of it, unless matches are very rare.
  bool loose = false;
};

// Segments and what they decode to, without an allocation for each.
class SegmentList {
 public:
  struct Place {  // of a decoded byte in the folded text, from the segment's begin on
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  // Begins a segment at the end of the list; what add() brings belongs to it.
  Segment& begin(View view, std::size_t begin, bool loose);
  void add(char byte, Place place);
  void add(std::string_view text, const Place* places);
  // A part of one that is there already; it shares text and places.
  Segment part(const Segment& whole, std::size_t from, std::size_t to) const;
  void clear();

  bool empty() const { return items_.empty(); }
  const std::vector<Segment>& items() const { return items_; }
  std::string_view text(const Segment& segment) const {
    return std::string_view(text_).substr(segment.at, segment.size);
  }
  // The folded text behind decoded [from, to), which is not empty.
  Span source_of(const Segment& segment, std::size_t from, std::size_t to) const {
    return {segment.begin + places_[segment.at + from].begin,
            segment.begin + places_[segment.at + to - 1].end};
  }

 private:
  std::vector<Segment> items_;
  std::string text_;
  std::vector<Place> places_;  // of each byte of text_
};

// A segment under way.
class SegmentBuilder {
 public:
  SegmentBuilder() = default;
  SegmentBuilder(View view, bool loose) : view_(view), loose_(loose) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return begin_ + places_[size_ - 1].end; }
  std::string_view text() const { return {text_.data(), size_}; }
  void add(char byte, std::size_t begin, std::size_t end, SegmentList& ended) {
    if (size_ == text_.size()) grow();
    if (size_ == 0) begin_ = begin;
    text_.data()[size_] = byte;
    places_.data()[size_++] = {static_cast<std::uint32_t>(begin - begin_),
                               static_cast<std::uint32_t>(end - begin_)};
    if (end - begin_ >= longest_piece) give_piece(ended);
  }
  void drop_last() { --size_; }
  // The last byte takes the text up to here with it.
  void stretch(std::size_t end) {
    places_[size_ - 1].end = static_cast<std::uint32_t>(end - begin_);
  }
  // Empty again, for another view.
  void restart(View view, bool loose);
  // Gives it if it is long enough.
  void finish(std::size_t least, SegmentList& ended);
  void clear() {
    size_ = 0;
    has_pieces_ = false;
  }

 private:
  static constexpr std::size_t longest_piece = 8u << 10;  // of folded text

  void grow();
  void give_piece(SegmentList& ended);
  void give(std::size_t counted, bool loose, SegmentList& ended);

  View view_ = View::base64;
  bool loose_ = false;
  bool has_pieces_ = false;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::vector<char> text_;  // the first size_ of both are in use
  std::vector<SegmentList::Place> places_;
};

class RunLexer {
 public:
  RunLexer();
  void restart();
  void feed(std::string_view text, std::size_t base, bool last, SegmentList& ended);
  std::size_t open_from() const { return open_from_; }

 private:
  // One alignment of one alphabet inside a run: four characters of base64 are three bytes, two of
  // hexadecimal are one. Bytes are kept from the eighth on that is text: seldom there are so many.
  struct Decoder {
    bool hex = false;
    unsigned alignment = 0;
    unsigned char trial = 0;    // what the bytes not kept look like: see run_lexer.cc
    unsigned continuation = 0;  // bytes of a UTF-8 sequence still to come
    SegmentBuilder builder;
  };
  struct Character {  // of the run
    std::size_t at = 0;
    char byte = 0;
  };

  static std::size_t find_run(std::string_view text, std::size_t from);
  void begin_run(std::size_t at);
  void end_run(std::size_t padding, SegmentList& ended);
  void take(char c, std::size_t at, SegmentList& ended);
  void take_hex(char c, SegmentList& ended);
  void add(Decoder& decoder, unsigned byte, std::size_t number, SegmentList& ended);
  void begin_segment(Decoder& decoder, std::size_t number, SegmentList& ended);
  void keep(Decoder& decoder, unsigned byte, std::size_t number, SegmentList& ended);
  // A character is known by its number in the run, a decoded byte by the first of its two.
  Character& character(std::size_t number) { return characters_[number % characters_.size()]; }
  unsigned byte_of(const Decoder& decoder, std::size_t number);
  std::size_t first_of(const Decoder& decoder, std::size_t number, unsigned bytes) const;
  std::size_t last_of(const Decoder& decoder) const;
  void finish(Decoder& decoder, SegmentList& ended);
  Decoder* first_alive();
  bool is_covered(const Decoder& decoder) const;
  enum class Wrap : std::uint8_t { ends, goes_on, unknown };
  Wrap wrap(std::string_view text, std::size_t base, bool last, SegmentList& ended);
  void update_open();

  std::size_t at_ = 0;  // everything before it was seen
  std::size_t open_from_ = 0;
  bool in_run_ = false;
  std::size_t taken_ = 0;                   // characters of the run
  std::size_t hex_taken_ = 0;               // of them the last ones that are hexadecimal digits
  std::uint32_t value_ = 0;                 // the last four, six bits each
  unsigned hex_value_ = 0;                  // the last two, four bits each
  std::array<Character, 16> characters_{};  // the last ones
  std::array<Decoder, 6> decoders_;         // by alignment: four of base64, two of hexadecimal
  std::array<std::size_t, 2> given_to_{};   // of base64, of hexadecimal
};

// Tokens between equal separators: single characters (a double separator between words), pairs of
// hexadecimal digits, or these behind 0x.
class SpacedLexer {
 public:
  void restart();
  void feed(std::string_view text, std::size_t base, bool last, SegmentList& ended);
  std::size_t open_from() const { return open_from_; }

  struct Shape {
    std::size_t width = 1;  // of a token
    std::size_t separator_size = 1;
    std::size_t begin = 0;  // of its first token
  };

 private:
  enum class Step : std::uint8_t { taken, ends, unknown };
  Step step(std::string_view text, std::size_t base, bool last, SegmentList& ended);
  void take_token(std::string_view text, std::size_t base, std::size_t at, SegmentList& ended);

  std::size_t at_ = 0;  // everything before it was seen
  std::size_t open_from_ = 0;
  bool open_ = false;
  Shape shape_;
  std::string separator_;
  SegmentBuilder builder_;
};

}  // namespace gatehouse::inspect
