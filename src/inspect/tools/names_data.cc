#include "inspect/tools/names_data.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "crypto/crypto.h"
#include "inspect/name_text.h"

namespace gatehouse::inspect {
namespace {

NameKind kind_of(std::string_view type) {
  if (type == "PERSON") return NameKind::person;
  if (type == "ADDRESS" || type == "STREET_ADDRESS") return NameKind::address;
  return type == "LOCATION" ? NameKind::location : NameKind::none;
}

std::uint32_t digest_number(std::string_view text) {
  const auto digest = crypto::sha256(bytes_of(text));
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<std::uint8_t>(digest[i]);
  return number;
}

// The rule of src/classify/split.h, a room that uses this one.
std::string normalised(std::string_view text) {
  std::string out;
  for (const char c : to_lower(text)) {
    if (c != ' ' && (c < '\t' || c > '\r'))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string_view split_of(std::string_view normal) {
  const unsigned bucket = digest_number(normal) % 10;
  return bucket < 6 ? "train" : bucket < 8 ? "calibrate" : "test";
}

struct Selection {
  std::string path;
  std::string split;
  bool folded = false;
  bool without = false;
  std::uint64_t fold = 0;
  std::uint64_t folds = 1;
  std::uint64_t times = 1;

  bool wants(std::string_view normal, const std::string& group) const {
    if (!split.empty() && split_of(normal) != split) return false;
    return !folded || (digest_number("fold " + group) % folds == fold) != without;
  }
};

Result<Selection> parse_selection(const std::string& argument) {
  const auto parts = split(argument, ':');
  Selection selection;
  selection.path = parts[0];
  for (std::string_view part : std::span(parts).subspan(1)) {
    if (part.starts_with("times=")) {
      selection.times = parse_uint(part.substr(6)).value_or(1);
    } else if (part.starts_with("fold=")) {
      part.remove_prefix(5);
      selection.folded = true;
      selection.without = part.starts_with("!");
      const auto numbers = split(part.substr(selection.without ? 1 : 0), '/');
      if (numbers.size() != 2) return fail(ErrorCode::invalid_argument, "want fold=<i>/<n>");
      selection.fold = parse_uint(numbers[0]).value_or(0);
      selection.folds = std::max<std::uint64_t>(1, parse_uint(numbers[1]).value_or(1));
    } else {
      selection.split = part;
    }
  }
  return selection;
}

// Offsets of characters as offsets of bytes.
std::vector<std::size_t> character_offsets(std::string_view text) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) offsets.push_back(i);
  offsets.push_back(text.size());
  return offsets;
}

// The text with each span's content replaced by its type: what its template was.
std::string template_of(std::string_view text,
                        std::vector<std::pair<NameLabel, std::string>> spans) {
  std::ranges::sort(spans, {}, [](const auto& span) { return span.first.begin; });
  std::string out;
  std::size_t at = 0;
  for (const auto& [span, type] : spans) {
    if (span.begin < at) continue;
    out.append(text, at, span.begin - at).append("{" + type + "}");
    at = span.end;
  }
  return normalised(out.append(text, at));
}

Result<LabelledText> parse_row(const nlohmann::json& json) {
  LabelledText row;
  row.text = json.value("text", std::string());
  const auto offsets = character_offsets(row.text);
  std::vector<std::pair<NameLabel, std::string>> spans;
  for (const auto& span : json.value("spans", nlohmann::json::array())) {
    const std::size_t start = span.value("start", std::size_t{0});
    const std::size_t end = span.value("end", std::size_t{0});
    if (start >= end || end >= offsets.size())
      return fail(ErrorCode::invalid_argument, "a span lies outside its text");
    const std::string type = span.value("type", std::string());
    spans.push_back({{offsets[start], offsets[end], kind_of(type)}, type});
    if (kind_of(type) != NameKind::none) row.as_given.push_back(spans.back().first);
  }
  row.group = json.value("group", template_of(row.text, spans));
  row.united = unite(row.text, row.as_given);
  return row;
}

bool only(std::string_view text, std::string_view allowed) {
  return text.size() <= 8 && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_postal(NameKind kind) {
  return kind == NameKind::address || kind == NameKind::location;
}

bool are_one(const NameLabel& a, const NameLabel& b, std::string_view between) {
  if (a.kind == NameKind::person && b.kind == NameKind::person) return only(between, " ");
  return (a.kind == NameKind::address || b.kind == NameKind::address) && is_postal(a.kind) &&
         is_postal(b.kind) && only(between, " ,\n\t>?");
}

// Moves the beginning of a person's name behind its titles.
void drop_titles(std::string_view text, const Lexicon& lexicon, NameLabel& label) {
  TokenReader reader(text.substr(0, label.end), label.begin);
  for (NameToken token; reader.next(token);) {
    label.begin = token.begin;
    const auto word = text.substr(token.begin, token.size());
    if (lexicon.find(hash_word(word)) != Cue::title) return;
  }
  label.begin = label.end;
}

}  // namespace

std::vector<NameLabel> unite(std::string_view text, std::vector<NameLabel> labels) {
  static const Lexicon lexicon;
  std::ranges::sort(labels, {}, &NameLabel::begin);
  std::vector<NameLabel> out;
  for (NameLabel label : labels) {
    while (label.begin < label.end && !in_token(text, label.begin)) ++label.begin;
    while (label.begin < label.end && !in_token(text, label.end - 1)) --label.end;
    if (label.begin == label.end) continue;
    if (label.kind == NameKind::person) drop_titles(text, lexicon, label);
    if (label.begin == label.end) continue;
    if (!out.empty() && out.back().end <= label.begin &&
        are_one(out.back(), label, text.substr(out.back().end, label.begin - out.back().end))) {
      out.back() = {out.back().begin, label.end,
                    out.back().kind == label.kind ? label.kind : NameKind::address};
    } else {
      out.push_back(label);
    }
  }
  return out;
}

Result<std::vector<LabelledText>> read_labelled(const std::string& argument) {
  GH_ASSIGN(const Selection selection, parse_selection(argument));
  std::ifstream file(selection.path);
  if (!file) return fail(ErrorCode::not_found, "cannot read " + selection.path);
  std::vector<LabelledText> rows;
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) return fail(ErrorCode::invalid_argument, "not JSONL", selection.path);
    GH_ASSIGN(LabelledText row, parse_row(json));
    const std::string normal = normalised(row.text);
    if (seen.insert(normal).second && selection.wants(normal, row.group))
      rows.push_back(std::move(row));
  }
  const std::size_t once = rows.size();
  for (std::uint64_t i = 1; i < selection.times; ++i)
    for (std::size_t k = 0; k < once; ++k) rows.push_back(rows[k]);
  return rows;
}

}  // namespace gatehouse::inspect
