// A text as a reader takes it: what is not seen is gone, look-alikes and other shapes of a
// character are that character, escapes are what they stand for. With a map back to the text.
//
//   dropped     zero-width, bidirectional, tag, variation-selector and control characters, soft
//               hyphens, combining diacritics; what joins two pieces of text (joints.h), a
//               backslash at the end of a line
//   turned to   ASCII where they look like it or are compatible with it: full-width, mathematical,
//   ASCII       enclosed letters, digits of any script, Cyrillic and Greek look-alikes, spaces,
//               dashes, quotes (fold_table.cc)
//   decoded     \_ and \- of Markdown, %40, %u0040, \x40, \x{40}, \u0040, \u{40}, \U00000040, &#64;
//   &#x40; &commat; and so on, up to
//               three within one another; the UTF-8 sequence that several of them spell
//
// Invariants
//   1. The folded text of a prefix, without its undecided end, is a prefix of the folded text.
//   2. Every folded byte comes from one stretch of the source, in order, without overlap.
//   3. Where 16 KiB are not seen, a wall of line breaks stands, wider than any match: no stream
//   waits for what may follow behind it.
//   4. Until a character comes that folds to something else nothing is copied: text() is the
//   source.
// Time is linear, and memory: a text of nothing but escapes costs a few times its size. Value
// types; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/escape.h"
#include "inspect/inspect.h"

namespace gatehouse::inspect {

// The folded text alone, for words to be compared with folded texts.
std::string fold_text(std::string_view text);
// Look-alikes and shapes only: what looks like an escape stays as it is.
std::string fold_characters(std::string_view text);
// Of these only what folds to letters and digits: for patterns.
std::string fold_letters(std::string_view text);

// The texts that are encoded or hidden in a text (base64, hex, spaced-out letters, tag characters,
// variation selectors), decoded, those inside them too; at most 4 MiB.
std::vector<std::string> hidden_texts(std::string_view text);

// Where folded bytes come from. Positions count from the beginning of the texts.
class FoldMap {
 public:
  void clear();
  // `count` bytes at `folded`, which is where the map ends, stand in the source as they are.
  void add_plain(std::size_t folded, std::size_t source, std::size_t count);
  // One folded byte from a stretch of the source.
  void add_byte(std::size_t folded, Span source);
  // Folded bytes from no text at all, at `source`.
  void add_nothing(std::size_t folded, std::size_t source);
  // The source of folded [begin, end), which is not empty.
  Span source_of(std::size_t begin, std::size_t end) const;
  // Whether [begin, end) is the source itself.
  bool is_plain(std::size_t begin, std::size_t end) const;
  void forget_before(std::size_t folded);

 private:
  struct Piece {
    std::size_t folded = 0;
    std::size_t source = 0;
    std::size_t unit = 1;  // source bytes for each folded byte
  };
  std::size_t piece_at(std::size_t folded) const;

  std::vector<Piece> pieces_;
  std::size_t next_source_ = 0;  // where the source of the last byte ends
};

// A run of characters that no reader sees, and its surroundings.
struct HiddenRun {
  Span source;
  std::size_t folded = 0;  // where in the folded text it stands
  char32_t before = 0;     // the nearest visible characters; 0 at an end
  char32_t after = 0;
  std::uint32_t tags = 0;  // how many of each sort
  std::uint32_t selectors = 0;
  std::uint32_t zero_width = 0;
  std::uint32_t overrides = 0;  // of direction
  bool at_start = false;        // the text begins with it
  bool marked = false;          // it begins with U+FEFF
  bool long_unseen = false;     // 16 KiB are not seen here, of whatever sort
  bool wrapper = false;         // it is, or goes on, a C2PA manifest (magic number and all)
  std::string tag_text;         // what the tags spell
  std::string selector_bytes;   // what the variation selectors spell
};

class FoldedText {
 public:
  // Begins a new text.
  void restart();
  // `source` is the text from position `base` on, as far as it is known; what was known before is
  // the same. It must live until the next call. `last`: nothing follows.
  void update(std::string_view source, std::size_t base, bool last);

  // What is decided of the folded text, from position base() of it on.
  std::string_view text() const {
    return plain_ ? source_.substr(0, decided_ - source_base_) : std::string_view(folded_);
  }
  std::size_t base() const { return plain_ ? source_base_ : folded_base_; }
  std::size_t end() const { return base() + text().size(); }
  // Whether no character so far folds to anything else: then positions are the same.
  bool is_plain() const { return plain_; }

  // The source of folded [begin, end).
  Span source_of(std::size_t begin, std::size_t end) const;
  // Where the source of the folded byte at `position` begins; at end(): up to where it is decided.
  std::size_t source_at(std::size_t position) const;
  bool is_plain(std::size_t begin, std::size_t end) const;
  std::size_t source_end() const { return source_base_ + source_.size(); }
  // The source before this position is decided.
  std::size_t decided() const { return decided_; }

  // Runs of hidden characters, numbered from first_run() on. The last is open while more may
  // follow.
  std::size_t first_run() const { return first_run_; }
  const std::vector<HiddenRun>& runs() const { return runs_; }
  bool is_run_open() const { return run_open_; }

  // Folded bytes before this position, and runs before this number, are not asked for again.
  void forget_before(std::size_t folded, std::size_t run);

 private:
  struct Element {  // a byte that may belong to an escape under way
    char byte = 0;
    std::uint8_t depth = 0;  // how many escapes deep it was written
    Span source;
  };

  bool stays_plain(bool last);
  void begin_folding();
  void fold(bool last);
  void take_plain(std::size_t to);
  bool take_joint(bool last);
  bool take_character(bool last);
  void character(char32_t code, unsigned depth, Span source);
  void push(Element element);
  void complete(const EscapeReading& reading);
  void flush(std::size_t size);
  void finish();
  void commit(char byte, Span source);
  void commit_open(const Element& element);
  void add_unseen(Span source);
  void add_hidden(char32_t code, Span source);
  void begin_run(char32_t code, Span source);
  void close_run(char32_t after);

  std::string_view source_;
  std::size_t source_base_ = 0;
  std::size_t taken_ = 0;  // source position: everything before it was looked at
  std::size_t decided_ = 0;
  bool plain_ = true;

  std::string folded_;
  std::size_t folded_base_ = 0;
  FoldMap map_;

  std::size_t seen_to_ = 0;  // where the source of the last folded byte ends
  bool walled_ = false;      // a wall stands behind it
  char before_ = 0;          // the last byte of what is decided of the folded text

  std::vector<Element> open_;         // what may become an escape
  std::string open_bytes_;            // its bytes
  std::vector<std::size_t> openers_;  // where in it those under way begin, one within the other

  std::vector<HiddenRun> runs_;
  std::size_t first_run_ = 0;
  bool run_open_ = false;
};

}  // namespace gatehouse::inspect
