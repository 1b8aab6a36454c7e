#include "inspect/joints.h"

#include <algorithm>

namespace gatehouse::inspect {
namespace {

constexpr std::size_t longest_comment = 4;  // what people hide in longer ones is looked at

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

// Of which tokens and addresses are made. Beside anything else two literals are none.
bool is_of_token(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const char small = static_cast<char>(c | 0x20);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (small >= 'a' && small <= 'z') ||
         std::string_view("_-./+=@:%").contains(c);
}

// A text of which perhaps no more than its beginning is known.
class Reader {
 public:
  Reader(std::string_view text, bool last)
      : text_(text.substr(0, longest_joint)), may_go_on_(!last && text.size() < longest_joint) {}

  std::size_t at() const { return at_; }
  bool is_end() const { return at_ == text_.size(); }
  // What an end here means.
  std::optional<std::size_t> end() const {
    return may_go_on_ ? std::nullopt : std::optional<std::size_t>(0);
  }
  char here() const { return text_[at_]; }
  bool take(char c) {
    if (is_end() || here() != c) return false;
    ++at_;
    return true;
  }
  template <class Wanted>
  void take_all(const Wanted& wanted) {
    while (!is_end() && wanted(here())) ++at_;
  }
  // Takes the word; nullopt where the text ends in the middle of it.
  std::optional<bool> take_word(std::string_view small) {
    const std::string_view rest = text_.substr(at_, small.size());
    const bool begins = std::ranges::equal(rest, small.substr(0, rest.size()), {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    if (!begins) return false;
    if (rest.size() < small.size()) return may_go_on_ ? std::nullopt : std::optional<bool>(false);
    at_ += small.size();
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 1;
  bool may_go_on_;
};

using Size = std::optional<std::size_t>;

// `" + "`, `' . '`, `" & "`, `' .. '`, over lines too. `"yes". "No"` is prose.
Size literal_joint(Reader reader, char before) {
  if (!is_of_token(before)) return 0;
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  reader.take_all(is_blank);
  if (reader.is_end()) return reader.end();
  const bool spaced = reader.at() > 1;
  const bool point = reader.here() == '.';
  if (!reader.take('+') && !reader.take('&') && !reader.take('.')) return 0;
  if (point) reader.take('.');
  const std::size_t behind = reader.at();
  reader.take_all(is_blank);
  if (reader.is_end()) return reader.end();
  if (point && spaced != (reader.at() > behind)) return 0;
  if (!is_quote(reader.here())) return 0;
  reader.take(reader.here());
  if (reader.is_end()) return reader.end();
  return is_of_token(reader.here()) ? reader.at() : 0;
}

// ESC [ 1 ; 31 m, and ESC [ K, which clears the rest of a line.
Size colour_joint(Reader reader) {
  if (reader.is_end()) return reader.end();
  if (!reader.take('[')) return 0;
  reader.take_all([](char c) { return (c >= '0' && c <= '9') || c == ';' || c == ':'; });
  if (reader.is_end()) return reader.end();
  return reader.here() == 'm' || reader.here() == 'K' ? reader.at() + 1 : 0;
}

Size comment_joint(Reader reader) {
  const std::size_t from = reader.at();
  while (true) {
    const auto ended = reader.take_word("-->");
    if (!ended) return std::nullopt;
    if (*ended) return reader.at();
    if (reader.is_end()) return reader.end();
    if (reader.at() - from == longest_comment) return 0;
    reader.take(reader.here());
  }
}

// <wbr>, <wbr/>, <wbr />, <!-- -->
Size markup_joint(Reader reader) {
  if (reader.is_end()) return reader.end();
  const auto comment = reader.take_word("!--");
  if (!comment) return std::nullopt;
  if (*comment) return comment_joint(reader);
  const auto word = reader.take_word("wbr");
  if (!word) return std::nullopt;
  if (!*word) return 0;
  reader.take(' ');
  reader.take('/');
  if (reader.is_end()) return reader.end();
  return reader.take('>') ? reader.at() : 0;
}

}  // namespace

std::optional<std::size_t> joint_size(std::string_view text, char before, bool last) {
  const Reader reader(text, last);
  if (text[0] == '<') return markup_joint(reader);
  if (text[0] == '\x1b') return colour_joint(reader);
  return literal_joint(reader, before);
}

}  // namespace gatehouse::inspect
