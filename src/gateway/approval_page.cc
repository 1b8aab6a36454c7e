// See approval_page.h.
#include "gateway/approval_page.h"

#include <nlohmann/json.hpp>

#include "base/form.h"
#include "base/text.h"

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

// Spread over lines for whoever reads it. What hides itself (bidirectional controls and the like)
// stands there as an escape: an approver sees what the tool would get.
std::string readable(const std::string& arguments) {
  const auto parsed = nlohmann::json::parse(arguments, nullptr, false);
  if (parsed.is_discarded()) return arguments;
  return parsed.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
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
  body += "</dl><h2>The call</h2><pre>" + escaped(readable(record.call.arguments)) + "</pre>";
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
