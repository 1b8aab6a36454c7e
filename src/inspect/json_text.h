// The text of a JSON channel (tool-call arguments), byte by byte as it streams: an incremental
// lexer that sends each string, and each number, through a SubText of its own and lets all other
// bytes pass as they came. Never fails: what is not JSON goes on as plain text from where it stops
// being JSON.
//
// Invariants
//   1. Whenever the input so far is a prefix of valid JSON, so is the output so far: escapes leave
//      whole, numbers and literals leave whole, a number that was changed leaves as a string.
//   2. A string or number is seen by the rules with the nearest key before it: `key": ` is
//      context.
// Lenient where clients are: control characters and unknown escapes inside strings are taken as
// they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inspect/sub_text.h"

namespace gatehouse::inspect {

class JsonText {
 public:
  JsonText(Scanner::Impl& scanner, const FilterPlan& plan, FilterTally& tally)
      : run_(scanner, plan, tally) {}

  void feed(std::string_view text, std::string& out);
  void finish(std::string& out);
  std::size_t held() const;

 private:
  enum class Mode : std::uint8_t { between, string, number, literal, lone_number, plain };
  enum class Expect : std::uint8_t {
    start,
    value,
    value_or_close,
    key,
    key_or_close,
    colon,
    comma_or_close
  };

  void structure(char c, std::string& out);
  void begin_value(char c, std::string& out);
  void open(char c, std::string& out);
  void close(char c, std::string& out);
  void begin_string(bool key, std::string& out);
  void end_string(std::string& out);
  std::size_t string_bytes(std::string_view text, std::string& out);
  bool escape_byte(char c);
  void end_escape();
  void decoded(std::string_view raw, std::string_view text);
  bool number_byte(char c, std::string& out);
  void end_number(std::string& out);
  bool literal_byte(char c, std::string& out);
  bool lone_number_byte(char c);
  void end_value();
  void go_plain();
  std::string context() const;

  SubText run_;
  Mode mode_ = Mode::between;
  Expect expect_ = Expect::start;
  std::vector<bool> objects_;  // one for each open bracket: is it an object
  bool is_key_ = false;        // the string under way
  std::string key_;            // the nearest key, its last bytes
  std::string escape_;         // an escape not yet complete
  std::string token_;          // a number or literal not yet complete
  std::size_t position_ = 0;   // of the next input byte
};

}  // namespace gatehouse::inspect
