// The two-way mapping of one conversation. Its serialised form is JSON, values in base64 since they
// are any bytes; parse() accepts exactly what serialize() writes. A name stands for all the ways in
// which it may be written: what is reserved is reserved in all of them.
#include "inspect/placeholders.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "inspect/inspect.h"

namespace gatehouse::inspect {
namespace {

constexpr std::size_t max_kind = 32;
constexpr std::size_t max_number_digits = 9;
constexpr std::size_t max_escapes = 2;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_kind_byte(char c) {
  return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

// "[EMAIL_12]" -> "EMAIL", 12. The text must be a placeholder.
std::pair<std::string_view, std::uint32_t> parts_of(std::string_view placeholder) {
  const std::size_t underscore = placeholder.rfind('_');
  const auto number =
      parse_uint(placeholder.substr(underscore + 1, placeholder.size() - underscore - 2));
  return {placeholder.substr(1, underscore - 1), static_cast<std::uint32_t>(number.value_or(0))};
}

std::size_t escapes_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at <= max_escapes && text[end] == '\\') ++end;
  return end - at;
}

// How a byte of a placeholder stands in its name; 0 when none has it.
char in_name(char c, bool escaped) {
  if (c == '_' || c == '-' || (c == ' ' && !escaped)) return '_';
  if (escaped) return 0;
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  return is_kind_byte(c) ? c : '\0';
}

// The value of "\u0041", of ASCII; 0 where there is no such escape.
char escaped_ascii(std::string_view text) {
  if (text.size() < 6 || text[1] != 'u') return 0;
  const auto byte = from_hex(text.substr(4, 2));
  const bool ascii = text.substr(2, 2) == "00" && byte && (*byte)[0] > 0;
  return ascii ? (*byte)[0] : '\0';
}

// A text without the escapes of JSON that can hide a placeholder.
std::string without_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t taken = 1;
    char c = text[0];
    if (c == '\\' && text.size() > 1) {
      if (const char ascii = escaped_ascii(text); ascii != 0) {
        c = ascii;
        taken = 6;
      } else if (text[1] == '\\') {
        taken = 2;
      }
    }
    out += c;
    text.remove_prefix(taken);
  }
  return out;
}

std::string value_key(std::string_view kind, std::string_view value) {
  std::string key(kind);
  key += '\0';
  key += value;
  return key;
}

std::unexpected<Error> refuse() {
  return fail(ErrorCode::data_loss, "not a serialised set of placeholders");
}

}  // namespace

std::size_t placeholder_length(std::string_view text) {
  if (text.size() < 5 || text[0] != '[' || text[1] < 'A' || text[1] > 'Z') return 0;
  std::size_t end = 1;
  while (end < text.size() && end <= max_kind + max_number_digits + 2 && is_kind_byte(text[end]))
    ++end;
  if (end == text.size() || text[end] != ']') return 0;
  std::size_t digits = end;
  while (digits > 1 && is_digit(text[digits - 1])) --digits;
  const std::size_t count = end - digits;
  const bool number = count >= 1 && count <= max_number_digits && text[digits] != '0';
  const bool kind = digits >= 3 && text[digits - 1] == '_' && digits - 2 <= max_kind;
  return number && kind ? end + 1 : 0;
}

WrittenPlaceholder read_placeholder(std::string_view text) {
  WrittenPlaceholder written;
  std::size_t at = escapes_at(text, 0);
  const bool escaped = at > 0;
  if (at > max_escapes) return {};
  if (at == text.size()) {
    written.unfinished = true;
    return written;
  }
  if (text[at++] != '[') return {};
  written.name = "[";
  while (at < text.size()) {
    const std::size_t escapes = escapes_at(text, at);
    if (escapes > max_escapes) return {};
    at += escapes;
    if (at == text.size()) break;
    const char c = text[at++];
    if (c == ']') {
      written.name += c;
      written.length = at;
      const bool whole = placeholder_length(written.name) == written.name.size();
      return whole && escaped == (escapes > 0) ? written : WrittenPlaceholder();
    }
    const char named = in_name(c, escapes > 0);
    if (named == 0 || written.name.size() > max_kind + max_number_digits + 2) return {};
    written.name += named;
  }
  written.unfinished = true;
  return written;
}

// Also where it is written in JSON, or in JSON within JSON.
void Placeholders::reserve(std::string_view client_text) {
  reserve_written(client_text);
  std::string inner(client_text);
  for (int depth = 0; depth < 2 && inner.find('\\') != std::string::npos; ++depth) {
    inner = without_escapes(inner);
    reserve_written(inner);
  }
}

void Placeholders::reserve_written(std::string_view text) {
  for (std::size_t at = text.find_first_of("[\\"); at != std::string_view::npos;
       at = text.find_first_of("[\\", at + 1)) {
    const WrittenPlaceholder written = read_placeholder(text.substr(at));
    if (written.length == 0) continue;
    if (reserved_.emplace(written.name, true).second) retire(written.name);
  }
}

// The name is the client's from now on: its value gets another.
void Placeholders::retire(const std::string& placeholder) {
  const auto known = by_placeholder_.find(placeholder);
  if (known == by_placeholder_.end()) return;
  const std::string value = std::move(known->second);
  const std::string kind(parts_of(placeholder).first);
  by_placeholder_.erase(known);
  by_value_.erase(value_key(kind, value));
  placeholder_for(kind, value);
}

void Placeholders::avoid(const Placeholders& other) {
  for (const auto& [placeholder, value] : other.by_placeholder_)
    if (by_placeholder_.find(placeholder) == by_placeholder_.end())
      reserved_.emplace(placeholder, true);
  for (const auto& [placeholder, reserved] : other.reserved_) reserved_.emplace(placeholder, true);
}

const std::string& Placeholders::placeholder_for(std::string_view kind, std::string_view value) {
  std::string key = value_key(kind, value);
  if (const auto known = by_value_.find(key); known != by_value_.end()) return known->second;
  auto next = next_.find(kind);
  if (next == next_.end()) next = next_.emplace(std::string(kind), first_).first;
  std::string placeholder;
  do {
    placeholder = "[" + std::string(kind) + "_" + std::to_string(next->second++) + "]";
  } while (reserved_.contains(placeholder));
  longest_ = std::max(longest_, placeholder.size());
  by_placeholder_.emplace(placeholder, value);
  return by_value_.emplace(std::move(key), std::move(placeholder)).first->second;
}

const std::string* Placeholders::value_of(std::string_view placeholder) const {
  const auto found = by_placeholder_.find(placeholder);
  return found == by_placeholder_.end() ? nullptr : &found->second;
}

bool Placeholders::begins_known(std::string_view text) const {
  const auto next = by_placeholder_.upper_bound(text);
  return next != by_placeholder_.end() && next->first.starts_with(text);
}

Result<std::string> Placeholders::serialize() const {
  std::string out = serialized();
  if (out.size() > max_serialized)
    return fail(ErrorCode::resource_exhausted, "a conversation has too many placeholders");
  return out;
}

std::string Placeholders::serialized() const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("version").number(1).key("placeholders").begin_array();
  for (const auto& [placeholder, value] : by_placeholder_)
    writer.begin_array().string(placeholder).string(to_base64(bytes_of(value))).end_array();
  writer.end_array().key("reserved").begin_array();
  for (const auto& [placeholder, reserved] : reserved_) writer.string(placeholder);
  writer.end_array().end_object();
  return out;
}

Result<Placeholders> Placeholders::parse(std::string_view serialized) {
  if (serialized.size() > max_serialized) return refuse();
  const auto json = nlohmann::json::parse(serialized, nullptr, false);
  if (!json.is_object() || !json.contains("placeholders") || !json.contains("reserved"))
    return refuse();
  const auto& entries = json["placeholders"];
  const auto& reserved = json["reserved"];
  if (!entries.is_array() || !reserved.is_array()) return refuse();
  Placeholders out;
  for (const auto& word : reserved) {
    if (!word.is_string()) return refuse();
    out.reserve(word.get_ref<const std::string&>());
  }
  for (const auto& entry : entries) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_string())
      return refuse();
    const auto& placeholder = entry[0].get_ref<const std::string&>();
    auto value = from_base64(entry[1].get_ref<const std::string&>());
    if (!value || placeholder_length(placeholder) != placeholder.size()) return refuse();
    out.insert(placeholder, std::move(*value));
  }
  if (out.serialized() != serialized) return refuse();  // nothing was left out or written otherwise
  return out;
}

void Placeholders::insert(const std::string& placeholder, std::string value) {
  const auto [kind, number] = parts_of(placeholder);
  by_value_.emplace(value_key(kind, value), placeholder);
  by_placeholder_.emplace(placeholder, std::move(value));
  auto& next = next_[std::string(kind)];
  next = std::max(next, number + 1);
  longest_ = std::max(longest_, placeholder.size());
}

}  // namespace gatehouse::inspect
