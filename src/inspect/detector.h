// What finds things in code where a pattern cannot: names by gazetteer, hidden characters. Each
// brings rules of its own, listed beside those of the YAML files.
//
// A detector sees the folded text (fold.h): invisible characters gone, look-alikes and escapes
// turned into what they stand for. It must find the same in a whole text and in a stream cut
// anywhere, and in time that is linear in the text, whatever the text.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "inspect/inspect.h"

namespace gatehouse::inspect {

// A span found valid for a rule.
struct Match {
  std::uint32_t rule = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  double p_value = 0;
  View view = View::plain;
};

// Reads one text from its beginning, as far as it is known. All positions are positions in `text`,
// which is what is known from position `base` of the whole on; at each step more may be known, and
// text before `from` may be gone but for Detector::look_back() bytes. One thread.
class TextReader {
 public:
  virtual ~TextReader() = default;

  // Begins another text.
  virtual void restart() = 0;
  // The smallest position >= from where a match may begin that text still to come could make or
  // change; text.size() if there is none. It never goes backwards, and is at most 12 KiB before the
  // end of the text.
  virtual std::size_t frontier(std::string_view text, std::size_t base, std::size_t from) = 0;
  // Appends every match that begins in [from, to); they may overlap, the caller chooses. They do
  // not cut UTF-8 sequences. `from` is where the last step ended, `to` at most the frontier, or
  // text.size() where nothing follows.
  virtual void find(std::string_view text, std::size_t base, std::size_t from, std::size_t to,
                    std::vector<Match>& found) = 0;
};

// Immutable, used by all threads at once.
class Detector {
 public:
  // What makes its readers faster, whatever the texts. Belongs to one thread.
  class Memory {
   public:
    virtual ~Memory() = default;
  };

  virtual ~Detector() = default;

  // Its rules, always the same. Match::rule counts from the first of these.
  virtual std::span<const Rule> rules() const = 0;
  // How many bytes before its last frontier a reader looks at. At most 256.
  virtual std::size_t look_back() const { return 64; }

  virtual std::unique_ptr<Memory> memory() const { return nullptr; }
  // Both must outlive the reader. `memory` is one of memory().
  virtual std::unique_ptr<TextReader> reader(Memory* memory) const = 0;
};

// A detector that needs to remember nothing: both questions are pure functions of a bounded
// neighbourhood.
class PlainDetector : public Detector {
 public:
  std::unique_ptr<TextReader> reader(Memory* memory) const final;

  // Whether a match begins at p depends on text[p - look_back(), e) alone, where e is how far it
  // had to read. text[0] is the beginning of the text only where p is nearer to it than
  // look_back() + 2.
  virtual std::size_t frontier(std::string_view text, std::size_t from) const = 0;
  virtual void find(std::string_view text, std::size_t from, std::size_t to,
                    std::vector<Match>& found) const = 0;
};

// All matches of a whole text.
std::vector<Match> find_all(const Detector& detector, std::string_view text);

// Those compiled into the program, in the order of their rules.
std::vector<std::unique_ptr<const Detector>> builtin_detectors();

}  // namespace gatehouse::inspect
