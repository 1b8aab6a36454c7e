// See normalizer.h. What each sort does is the behaviour of the `tokenizers` library, which the
// tests compare with (tests/onnx).
#include "onnx/normalizer.h"

#include <memory>

#include "base/text.h"
#include "onnx/char_map.h"
#include "onnx/json_fields.h"
#include "onnx/json_steps.h"
#include "onnx/unicode.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

// A copy with what `change(out, code)` appends for each character.
template <class Change>
std::string changed(std::string_view text, Change&& change) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) change(out, next_character(text, at));
  return out;
}

struct BertOptions {
  bool clean_text = true;
  bool ideographs = true;
  bool strip_accents = true;
  bool lowercase = true;
};

std::string clean(std::string_view text) {
  return changed(text, [](std::string& out, char32_t code) {
    const bool line = code == '\t' || code == '\n' || code == '\r';
    if (code == 0 || code == 0xfffd || (!line && is_invisible(code))) return;
    if (is_white_space(code)) {
      out += ' ';
    } else {
      append_character(out, code);
    }
  });
}

std::string with_ideographs_apart(std::string_view text) {
  return changed(text, [](std::string& out, char32_t code) {
    const bool apart = is_ideograph(code);
    if (apart) out += ' ';
    append_character(out, code);
    if (apart) out += ' ';
  });
}

std::string lower(std::string_view text) {
  return changed(text, append_lower);
}

template <class Test>
std::string without(std::string_view text, Test&& test) {
  return changed(text, [&](std::string& out, char32_t code) {
    if (!test(code)) append_character(out, code);
  });
}

std::string bert(const BertOptions& options, std::string text) {
  if (options.clean_text) text = clean(text);
  if (options.ideographs) text = with_ideographs_apart(text);
  if (options.strip_accents) text = without(normalize(text, Form::nfd), is_nonspacing_mark);
  if (options.lowercase) text = lower(text);
  return text;
}

std::string stripped(std::string_view text, bool left, bool right) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t before = at;
    if (is_white_space(next_character(text, at))) continue;
    begin = std::min(begin, before);
    end = at;
  }
  if (end == 0) return left || right ? "" : std::string(text);
  if (!left) begin = 0;
  if (!right) end = text.size();
  return std::string(text.substr(begin, end - begin));
}

// SentencePiece's rules for machine translation.
std::string nmt(std::string_view text) {
  return changed(text, [](std::string& out, char32_t code) {
    const bool dropped = (code >= 0x01 && code <= 0x08) || code == 0x0b ||
                         (code >= 0x0e && code <= 0x1f) || code == 0x7f || code == 0x8f ||
                         code == 0x9f;
    if (dropped) return;
    const bool blank = code == 0x09 || code == 0x0a || code == 0x0c || code == 0x0d ||
                       code == 0x1680 || (code >= 0x200b && code <= 0x200f) || code == 0x2028 ||
                       code == 0x2029 || code == 0x2581 || code == 0xfeff || code == 0xfffd;
    append_character(out, blank ? U' ' : code);
  });
}

std::string replaced(std::string_view text, const std::string& pattern,
                     const std::string& content) {
  std::string out;
  for (;;) {
    const auto found = text.find(pattern);
    out += text.substr(0, found);
    if (found == std::string_view::npos) return out;
    out += content;
    text.remove_prefix(found + pattern.size());
  }
}

// Two and more spaces become one `content`.
std::string spaces_replaced(std::string_view text, const std::string& content) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_not_of(' ', at), text.size());
    if (end - at >= 2) {
      out += content;
      at = end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

using Step = std::function<std::string(std::string)>;

Step read_bert(JsonFields& fields) {
  BertOptions options;
  options.clean_text = fields.boolean("clean_text", true);
  options.ideographs = fields.boolean("handle_chinese_chars", true);
  options.lowercase = fields.boolean("lowercase", true);
  options.strip_accents = fields.optional_boolean("strip_accents").value_or(options.lowercase);
  return [options](std::string text) { return bert(options, std::move(text)); };
}

Step read_replace(JsonFields& fields) {
  const json* pattern = fields.any("pattern");
  const std::string content = fields.string("content");
  if (pattern == nullptr || !pattern->is_object() || pattern->size() != 1) {
    fields.refuse("\"pattern\" is neither {\"String\": …} nor {\"Regex\": …}");
    return {};
  }
  JsonFields kinds(*pattern, fields.where() + ".pattern");
  const auto text = kinds.optional_string("String");
  const auto regex = kinds.optional_string("Regex");
  if (auto done = kinds.finish(); !done) fields.refuse(done.error().message);
  if (text && !text->empty()) {
    return [pattern = *text, content](const std::string& from) {
      return replaced(from, pattern, content);
    };
  }
  if (regex == " {2,}")
    return [content](const std::string& from) { return spaces_replaced(from, content); };
  fields.refuse("the pattern " + printable(utf8_prefix(regex.value_or("\"\""), 100)) +
                " is not supported (supported: a string, and the regex \" {2,}\")");
  return {};
}

Step read_char_map(JsonFields& fields) {
  const auto bytes = from_base64(fields.string("precompiled_charsmap"));
  auto map = bytes ? CharMap::parse(*bytes) : std::unexpected(bytes.error());
  if (!map) {
    fields.refuse(map.error().describe());
    return {};
  }
  const auto shared = std::make_shared<const CharMap>(std::move(*map));
  return [shared](const std::string& text) { return shared->apply(text); };
}

std::optional<Form> form_named(const std::string& type) {
  if (type == "NFC") return Form::nfc;
  if (type == "NFD") return Form::nfd;
  if (type == "NFKC") return Form::nfkc;
  if (type == "NFKD") return Form::nfkd;
  return std::nullopt;
}

}  // namespace

Result<Normalizer::Step> Normalizer::read_step(const json& object, const std::string& type,
                                               const std::string& where) {
  JsonFields fields(object, where + " (" + printable(utf8_prefix(type, 64)) + ")");
  fields.ignore("type");
  Step step;
  bool drops = false;
  if (type == "BertNormalizer") {
    step = read_bert(fields);
    drops = true;
  } else if (const auto form = form_named(type)) {
    step = [form = *form](const std::string& text) { return normalize(text, form); };
  } else if (type == "Lowercase") {
    step = [](const std::string& text) { return lower(text); };
  } else if (type == "StripAccents") {
    step = [](const std::string& text) { return without(text, is_mark); };
    drops = true;
  } else if (type == "Strip") {
    const bool left = fields.boolean("strip_left");
    const bool right = fields.boolean("strip_right");
    step = [left, right](const std::string& text) { return stripped(text, left, right); };
    drops = true;
  } else if (type == "Nmt") {
    step = [](const std::string& text) { return nmt(text); };
    drops = true;
  } else if (type == "Prepend") {
    step = [prefix = fields.string("prepend")](const std::string& text) {
      return text.empty() ? text : prefix + text;
    };
  } else if (type == "Replace") {
    step = read_replace(fields);
    drops = true;
  } else if (type == "Precompiled") {
    step = read_char_map(fields);
    drops = true;
  } else {
    fields.refuse("this sort of normalizer is not supported");
  }
  GH_TRY(fields.finish());
  may_drop_ = may_drop_ || drops;
  return step;
}

Result<Normalizer> Normalizer::parse(const json& object) {
  Normalizer normalizer;
  if (object.is_null()) return normalizer;
  const auto read = [&](const auto&... step) { return normalizer.read_step(step...); };
  GH_ASSIGN(normalizer.steps_, read_steps<Step>(object, "normalizer", "normalizers", read));
  return normalizer;
}

std::string Normalizer::apply(std::string text) const {
  for (const auto& step : steps_) text = step(std::move(text));
  return text;
}

}  // namespace gatehouse::onnx
