// See cef.h.
#include "export/cef.h"

#include <chrono>

#include "base/text.h"
#include "export/facts.h"

namespace gatehouse::exporter {
namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

int severity_of(const Record& record) {
  constexpr int severities[] = {2, 4, 6, 8, 10};  // of 0 to 10
  return severities[static_cast<int>(grade_of(record))];
}

// Key, value and the length the dictionary allows the key.
class Extension {
 public:
  explicit Extension(std::string& out) : out_(out) {}

  void text(std::string_view key, std::string_view value, std::size_t limit) {
    if (value.empty()) return;
    begin(key);
    append_cef_value(out_, utf8_prefix(value, limit));
  }
  void number(std::string_view key, std::int64_t value) {
    begin(key);
    out_ += std::to_string(value);
  }
  // One of the fields that say themselves what they are: cs1 and cs1Label.
  void labelled(std::string_view key, std::string_view label, std::string_view value) {
    constexpr std::size_t limit = 4'000;
    if (value.empty()) return;
    text(std::string(key) + "Label", label, 1'023);
    text(key, value, limit);
  }
  void labelled(std::string_view key, std::string_view label, std::int64_t value) {
    text(std::string(key) + "Label", label, 1'023);
    number(key, value);
  }

 private:
  void begin(std::string_view key) {
    if (!first_) out_ += ' ';
    first_ = false;
    out_ += key;
    out_ += '=';
  }
  std::string& out_;
  bool first_ = true;
};

void add_caller(Extension& extension, const Record& record) {
  constexpr std::size_t name_limit = 1'023;
  const Peer peer = parse_peer(text_of(record.actor, "peer"));
  if (peer.ip.contains(':')) {
    extension.labelled("c6a2", "Source IPv6 Address", peer.ip);
  } else if (!peer.ip.empty()) {
    extension.text("src", peer.ip, 45);
  }
  if (!peer.ip.empty()) extension.number("spt", peer.port);
  extension.text("suser", text_of(record.actor, "id"), name_limit);
  extension.text("suid", text_of(record.actor, "key"), name_limit);
  extension.text("spriv", text_of(record.actor, "kind"), name_limit);
}

void add_outcome(Extension& extension, const Record& record) {
  std::string action = text_of(record.data, "effect");
  if (action.empty()) action = record.type.substr(record.type.rfind('.') + 1);
  extension.text("act", action, 63);
  extension.text("outcome", is_failure(record) ? "failure" : "success", 63);
  std::string reason = text_of(record.data, "problem");
  if (reason.empty()) reason = text_of(record.data, "reason");
  extension.text("reason", reason, 1'023);
  if (const auto bytes = number_of(record.data.value("content", Json::object()), "bytes"))
    extension.number(record.type == "request.completed" ? "out" : "in", *bytes);
}

void add_subject(Extension& extension, const Record& record) {
  constexpr std::size_t list_limit = 1'024;
  extension.text("app", text_of(record.subject, "dialect"), 31);
  std::string operation = text_of(record.subject, "route");
  if (operation.empty()) operation = text_of(record.subject, "path");
  extension.text("request", operation, 1'023);
  extension.text("requestContext", text_of(record.data, "purpose"), 2'048);
  std::string subject = text_of(record.subject, "model");
  if (subject.empty()) subject = text_of(record.subject, "id");
  extension.labelled("cs1", "Subject", subject);
  extension.labelled("cs2", "Provider", text_of(record.subject, "provider"));
  extension.labelled("cs3", "Policies", joined_texts(list_of(record.data, "policies"), list_limit));
  extension.labelled("cs4", "Findings", finding_names(record, "rule", list_limit));
  std::string decision = text_of(record.data, "decision");
  extension.labelled("cs5", "Decision", decision);
  extension.labelled("cs6", "Snapshot", record.snapshot);
}

void add_numbers(Extension& extension, const Record& record) {
  extension.labelled("cn1", "Ledger Index", static_cast<std::int64_t>(record.index));
  if (const auto status = number_of(record.data, "status"))
    extension.labelled("cn2", "HTTP Status", *status);
  const auto input = number_of(record.data, "input_tokens");
  const auto output = number_of(record.data, "output_tokens");
  if (input && output && *input >= 0 && *output >= 0 && *input < INT32_MAX && *output < INT32_MAX)
    extension.labelled("cn3", "Tokens", *input + *output);
}

}  // namespace

void append_cef_header(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '|') out += '\\';
    out += is_control(c) ? ' ' : c;
  }
}

void append_cef_value(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\r' || c == '\n') {
      if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') ++at;
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '=') out += '\\';
    out += is_control(c) ? ' ' : c;
  }
}

std::string cef_message(const Record& record, const Source& source) {
  std::string out = "CEF:0|Gatehouse|Gatehouse|";
  append_cef_header(out, source.version);
  out += '|';
  append_cef_header(out, to_utf8(record.type));
  out += '|';
  append_cef_header(out, utf8_prefix(to_utf8(summary_of(record)), 512));
  out += '|' + std::to_string(severity_of(record)) + '|';
  Extension extension(out);
  extension.number(
      "rt", std::chrono::floor<std::chrono::milliseconds>(record.time).time_since_epoch().count());
  extension.text("externalId", record.id, 40);
  extension.text("dvchost", record.node, 100);
  extension.text("cat", record.type, 1'023);
  add_caller(extension, record);
  add_outcome(extension, record);
  add_subject(extension, record);
  add_numbers(extension, record);
  return out;
}

}  // namespace gatehouse::exporter
