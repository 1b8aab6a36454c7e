// See approval_page.h.
#include "gateway/approval_page.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/form.h"
#include "base/text.h"
#include "mcp/canonical.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "dt{color:#555;font-size:.85rem}dd{margin:0 0 .75rem}pre{background:#f4f4f4;padding:1rem;"
    "white-space:pre-wrap;overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1.5rem;"
    "margin-right:1rem}input{font:inherit;width:100%;margin:.5rem 0 1rem}";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string page(std::string_view title, std::string_view body) {
  std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width\"><title>" + escaped(title);
  out.append("</title><style>").append(style).append("</style></head><body><h1>");
  out += escaped(title) + "</h1>";
  return out.append(body).append("</body></html>\n");
}

void add_item(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += "<dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd>";
}

// A unit of UTF-16 as an escape of JSON.
void append_unit(std::string& out, std::uint32_t unit) {
  const std::array bytes{std::byte(unit >> 8 & 0xff), std::byte(unit & 0xff)};
  out += "\\u" + to_hex(bytes);
}

// What hides itself (bidirectional controls and the like) stands there as an escape of JSON: an
// approver sees what the tool would get. Of `text` each byte that is ASCII stays.
void append_visible(std::string& out, std::string_view text) {
  const std::string shown = to_utf8(text);
  for (std::size_t at = 0; at < shown.size();) {
    const auto lead = static_cast<unsigned char>(shown[at]);
    if (lead < 0x80) {
      out += shown[at++];
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    std::uint32_t point = lead & (0x7fu >> length);
    for (std::size_t next = 1; next < length; ++next)
      point = point << 6 | (static_cast<unsigned char>(shown[at + next]) & 0x3f);
    at += length;
    if (point >= 0x10000) append_unit(out, 0xd800 + ((point - 0x10000) >> 10));
    append_unit(out, point < 0x10000 ? point : 0xdc00 + ((point - 0x10000) & 0x3ff));
  }
}

// Spread over lines for whoever reads it; every token stays as it was written. `json` is known to
// be well-formed.
std::string spread(std::string_view json) {
  constexpr std::size_t deepest_indent = 16;
  std::string out;
  std::size_t depth = 0;
  const auto break_line = [&] {
    out.append("\n").append(2 * std::min(depth, deepest_indent), ' ');
  };
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    const char next = at + 1 < json.size() ? json[at + 1] : '\0';
    if (c == '"') {
      std::size_t end = at + 1;
      while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      append_visible(out, json.substr(at, end + 1 - at));
      at = end;
    } else if (c == '{' || c == '[') {
      out += c;
      ++depth;
      if (next != '}' && next != ']') break_line();
    } else if (c == '}' || c == ']') {
      --depth;
      if (out.back() != '{' && out.back() != '[') break_line();
      out += c;
    } else {
      out += c;
      if (c == ',') break_line();
      if (c == ':') out += ' ';
    }
  }
  return out;
}

void add_arguments(std::string& body, const std::string& arguments) {
  std::string shown;
  if (mcp::JsonView::parse(arguments)) {
    shown = spread(mcp::canonical_json(arguments));
    body += "<p>The arguments, as the tool gets them.</p>";
  } else {
    append_visible(shown, arguments);
    body +=
        "<p>The arguments are not exact JSON, so the tool may read them otherwise than they look. "
        "They are shown as they stand.</p>";
  }
  body += "<pre>" + escaped(shown) + "</pre>";
}

std::string needed(const approval::Record& record) {
  std::string text;
  for (const auto& one : record.quorums)
    text += (text.empty() ? "" : ", ") + std::to_string(one.count) + " of role " + one.role;
  return text;
}

std::string chain_of(const approval::Record& record) {
  std::string text = record.call.principal;
  for (const auto& one : record.call.acts_for) text += ", for " + one;
  return text;
}

}  // namespace

std::string approval_page(const approval::Record& record, std::string_view person) {
  const std::string tool =
      record.call.server.empty() ? record.call.tool : record.call.server + "/" + record.call.tool;
  std::string body = "<dl>";
  add_item(body, "Tool", tool);
  add_item(body, "Asked by", chain_of(record));
  add_item(body, "Why it waits", record.call.reason);
  add_item(body, "What the conversation holds", record.call.label);
  add_item(body, "Needed", needed(record));
  add_item(body, "Until", format_time(record.expires));
  add_item(body, "Approval", record.id);
  add_item(body, "You decide as", person);
  body += "</dl><h2>The call</h2>";
  add_arguments(body, record.call.arguments);
  body +=
      "<form method=\"post\"><label>Reason <input name=\"reason\" maxlength=\"500\" "
      "autocomplete=\"off\"></label>"
      "<button name=\"decision\" value=\"approve\">Approve exactly this call, once</button>"
      "<button name=\"decision\" value=\"deny\">Deny</button></form>";
  return page("A call waits for you", body);
}

std::string notice_page(std::string_view title, std::string_view text) {
  return page(title, "<p>" + escaped(text) + "</p>");
}

std::optional<FormDecision> read_decision(std::string_view body) {
  if (body.size() > longest_form) return std::nullopt;
  FormDecision form;
  bool decided = false;
  bool reasoned = false;
  for (const auto pair : split(body, '&')) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = pair.substr(0, equals);
    const auto value = decode_form_text(pair.substr(equals + 1));
    if (!value) return std::nullopt;
    if (name == "decision" && !decided && (*value == "approve" || *value == "deny")) {
      form.approve = *value == "approve";
      decided = true;
    } else if (name == "reason" && !reasoned) {
      form.reason = *value;
      reasoned = true;
    } else {
      return std::nullopt;
    }
  }
  if (!decided) return std::nullopt;
  return form;
}

}  // namespace gatehouse::gateway
