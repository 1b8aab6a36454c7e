// See pre_tokenizer.h. What each sort does is the behaviour of the `tokenizers` library, which the
// tests compare with (tests/onnx).
#include "onnx/pre_tokenizer.h"

#include <array>
#include <string_view>

#include "base/text.h"
#include "onnx/json_fields.h"
#include "onnx/json_steps.h"
#include "onnx/unicode.h"
#include "onnx/word_patterns.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

// Part of a text: something that was looked for, or what stands between two such.
struct Part {
  std::string_view text;
  bool found = false;
};
using Parts = std::vector<Part>;

// What becomes of what was looked for.
enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// A part joined to its neighbour in the same text.
std::string_view joined(std::string_view left, std::string_view right) {
  return {left.data(), left.size() + right.size()};
}

// What was found is joined to what stands before it, unless that was found too.
void merge_with_previous(Parts& parts) {
  Parts out;
  bool before = false;
  for (const Part& part : parts) {
    if (part.found && !before && !out.empty()) {
      out.back().text = joined(out.back().text, part.text);
    } else {
      out.push_back(part);
    }
    before = part.found;
  }
  parts = std::move(out);
}

void merge_with_next(Parts& parts) {
  Parts out;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const bool joins = parts[at].found && at + 1 < parts.size() && !parts[at + 1].found;
    if (joins) {
      out.push_back({joined(parts[at].text, parts[at + 1].text), false});
      ++at;
    } else {
      out.push_back(parts[at]);
    }
  }
  parts = std::move(out);
}

void merge_alike(Parts& parts) {
  Parts out;
  for (const Part& part : parts) {
    if (!out.empty() && out.back().found == part.found) {
      out.back().text = joined(out.back().text, part.text);
    } else {
      out.push_back(part);
    }
  }
  parts = std::move(out);
}

void settle(Parts& parts, Behavior behavior) {
  switch (behavior) {
    case Behavior::removed:
      std::erase_if(parts, [](const Part& part) { return part.found; });
      return;
    case Behavior::isolated:
      return;
    case Behavior::merged_with_previous:
      return merge_with_previous(parts);
    case Behavior::merged_with_next:
      return merge_with_next(parts);
    case Behavior::contiguous:
      return merge_alike(parts);
  }
}

// Each piece that is not a token becomes the parts that `cut` makes of it; empty ones are dropped.
template <class Cut>
void cut_pieces(std::vector<Piece>& pieces, Cut&& cut) {
  std::vector<Piece> out;
  out.reserve(pieces.size());
  for (Piece& piece : pieces) {
    if (piece.token) {
      out.push_back(std::move(piece));
      continue;
    }
    bool is_first = piece.is_first;
    for (const Part& part : cut(piece)) {
      if (part.text.empty()) continue;
      out.push_back({std::string(part.text), std::nullopt, is_first});
      is_first = false;
    }
  }
  pieces = std::move(out);
}

// Each character for which `test` holds is found by itself.
template <class Test>
Parts parts_by_character(std::string_view text, Test&& test) {
  Parts parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t before = at;
    if (!test(next_character(text, at))) continue;
    parts.push_back({text.substr(begin, before - begin), false});
    parts.push_back({text.substr(before, at - before), true});
    begin = at;
  }
  parts.push_back({text.substr(begin), false});
  std::erase_if(parts, [](const Part& part) { return part.text.empty(); });
  return parts;
}

Parts parts_by_string(std::string_view text, std::string_view wanted) {
  Parts parts;
  while (!text.empty()) {
    const auto found = text.find(wanted);
    if (found != 0) parts.push_back({text.substr(0, found), false});
    if (found == std::string_view::npos) break;
    parts.push_back({text.substr(found, wanted.size()), true});
    text.remove_prefix(found + wanted.size());
  }
  return parts;
}

Parts parts_by_word(std::string_view text, const WordEnd& word_end) {
  Parts parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = word_end(text, at);
    GH_CHECK(end > at);
    parts.push_back({text.substr(at, end - at), true});
    at = end;
  }
  return parts;
}

template <class Test>
std::function<void(std::vector<Piece>&)> by_character(Test test, Behavior behavior) {
  return [test, behavior](std::vector<Piece>& pieces) {
    cut_pieces(pieces, [&](const Piece& piece) {
      Parts parts = parts_by_character(piece.text, test);
      settle(parts, behavior);
      return parts;
    });
  };
}

// Byte-level models write a byte as a character that can be seen: printable ones of Latin-1 as
// themselves, the others from U+0100 on.
std::array<std::string, 256> visible_bytes() {
  std::array<std::string, 256> all;
  char32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable_byte =
        (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    append_character(all[byte], printable_byte ? static_cast<char32_t>(byte) : next++);
  }
  return all;
}

using Step = std::function<void(std::vector<Piece>&)>;

Step read_byte_level(JsonFields& fields) {
  const bool prefix_space = fields.boolean("add_prefix_space", true);
  const bool by_words = fields.boolean("use_regex", true);
  fields.ignore("trim_offsets");  // of positions, which nobody asks for here
  return [prefix_space, by_words, bytes = visible_bytes()](std::vector<Piece>& pieces) {
    for (Piece& piece : pieces)
      if (!piece.token && prefix_space && !piece.text.starts_with(' ')) piece.text.insert(0, " ");
    if (by_words)
      cut_pieces(pieces,
                 [](const Piece& piece) { return parts_by_word(piece.text, gpt2_word_end); });
    for (Piece& piece : pieces) {
      if (piece.token) continue;
      std::string visible;
      for (const char c : piece.text) visible += bytes[static_cast<unsigned char>(c)];
      piece.text = std::move(visible);
    }
  };
}

struct MetaspaceOptions {
  std::string replacement;
  char32_t code = 0;
  enum class Prepend { always, first, never } prepend = Prepend::always;
  bool split = true;
};

void metaspace(const MetaspaceOptions& options, std::vector<Piece>& pieces) {
  using Prepend = MetaspaceOptions::Prepend;
  for (Piece& piece : pieces) {
    if (piece.token) continue;
    std::string text;
    for (const char c : piece.text) c == ' ' ? text += options.replacement : text += c;
    const bool wanted =
        options.prepend == Prepend::always || (options.prepend == Prepend::first && piece.is_first);
    if (wanted && !text.starts_with(options.replacement)) text.insert(0, options.replacement);
    piece.text = std::move(text);
  }
  if (!options.split) return;
  by_character([code = options.code](char32_t one) { return one == code; },
               Behavior::merged_with_next)(pieces);
}

Step read_metaspace(JsonFields& fields, bool& looks_for_first) {
  MetaspaceOptions options;
  options.replacement = fields.string("replacement");
  options.split = fields.boolean("split", true);
  fields.ignore("str_rep");  // the replacement again, in older files
  const auto prefix = fields.optional_boolean("add_prefix_space");
  const std::string scheme = fields.string("prepend_scheme", "always");
  if (!is_utf8(options.replacement) || count_characters(options.replacement) != 1) {
    fields.refuse("\"replacement\" is not one character");
    return {};
  }
  std::size_t at = 0;
  options.code = next_character(options.replacement, at);
  using Prepend = MetaspaceOptions::Prepend;
  if (scheme == "first") options.prepend = Prepend::first;
  if (scheme == "never" || prefix == false) options.prepend = Prepend::never;
  if (scheme != "always" && scheme != "first" && scheme != "never")
    fields.refuse("\"prepend_scheme\" is none of always, first, never");
  looks_for_first = looks_for_first || options.prepend == Prepend::first;
  return [options](std::vector<Piece>& pieces) { metaspace(options, pieces); };
}

Behavior read_behavior(JsonFields& fields, const std::string& name) {
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  fields.refuse("\"behavior\" is not known");
  return Behavior::isolated;
}

Step read_split(JsonFields& fields) {
  const json* pattern = fields.any("pattern");
  const bool invert = fields.boolean("invert");
  const Behavior behavior = read_behavior(fields, fields.string("behavior"));
  if (pattern == nullptr || !pattern->is_object() || pattern->size() != 1) {
    fields.refuse("\"pattern\" is neither {\"String\": …} nor {\"Regex\": …}");
    return {};
  }
  JsonFields kinds(*pattern, fields.where() + ".pattern");
  const auto wanted = kinds.optional_string("String");
  const auto regex = kinds.optional_string("Regex");
  if (auto done = kinds.finish(); !done) fields.refuse(done.error().message);
  const WordEnd words = regex ? word_end_of(*regex) : WordEnd();
  if (!words && (!wanted || wanted->empty())) {
    fields.refuse("the pattern " + printable(utf8_prefix(regex.value_or("\"\""), 200)) +
                  " is not supported");
    return {};
  }
  return [=](std::vector<Piece>& pieces) {
    cut_pieces(pieces, [&](const Piece& piece) {
      Parts parts = words ? parts_by_word(piece.text, words) : parts_by_string(piece.text, *wanted);
      if (invert)
        for (Part& part : parts) part.found = !part.found;
      settle(parts, behavior);
      return parts;
    });
  };
}

}  // namespace

Result<PreTokenizer::Step> PreTokenizer::read_step(const json& object, const std::string& type,
                                                   const std::string& where) {
  JsonFields fields(object, where + " (" + printable(utf8_prefix(type, 64)) + ")");
  fields.ignore("type");
  Step step;
  if (type == "BertPreTokenizer") {
    step = [spaces = by_character(is_white_space, Behavior::removed),
            marks = by_character(is_punctuation, Behavior::isolated)](std::vector<Piece>& pieces) {
      spaces(pieces);
      marks(pieces);
    };
  } else if (type == "WhitespaceSplit") {
    step = by_character(is_white_space, Behavior::removed);
  } else if (type == "Punctuation") {
    step =
        by_character(is_punctuation, read_behavior(fields, fields.string("behavior", "Isolated")));
  } else if (type == "Digits") {
    const bool each = fields.boolean("individual_digits", false);
    step = by_character(is_number, each ? Behavior::isolated : Behavior::contiguous);
  } else if (type == "Metaspace") {
    step = read_metaspace(fields, looks_for_first_);
  } else if (type == "ByteLevel") {
    step = read_byte_level(fields);
  } else if (type == "Split") {
    step = read_split(fields);
  } else {
    fields.refuse("this sort of pre-tokenizer is not supported");
  }
  GH_TRY(fields.finish());
  return step;
}

Result<PreTokenizer> PreTokenizer::parse(const json& object) {
  PreTokenizer made;
  if (object.is_null()) return made;
  const auto read = [&](const auto&... step) { return made.read_step(step...); };
  GH_ASSIGN(made.steps_, read_steps<Step>(object, "pre_tokenizer", "pretokenizers", read));
  return made;
}

void PreTokenizer::apply(std::vector<Piece>& pieces) const {
  for (const auto& step : steps_) step(pieces);
}

}  // namespace gatehouse::onnx
