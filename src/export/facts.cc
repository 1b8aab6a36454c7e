// See facts.h.
#include "export/facts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace gatehouse::exporter {
namespace {

bool is_ip(const std::string& text) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view each) { return text.ends_with(each); });
}

std::string list_names(const std::vector<std::string>& names, std::size_t limit) {
  std::string text;
  for (const auto& name : names) {
    if (text.size() + name.size() + 2 > limit) {
      text += "…";
      break;
    }
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string who(const Record& record) {
  const std::string kind = text_of(record.actor, "kind");
  const std::string id = text_of(record.actor, "id");
  if (id.empty()) return "an unknown caller";
  return kind.empty() ? id : kind + " " + id;
}

std::string which_model(const Record& record) {
  const std::string model = text_of(record.subject, "model");
  return model.empty() ? "a model" : "model " + model;
}

std::string summary_of_call(const Record& record) {
  const std::string problem = text_of(record.data, "problem");
  if (record.type == "request.refused")
    return "A call by " + who(record) + " was refused: " + problem;
  if (record.type == "request.completed") {
    std::string text = "A call by " + who(record) + " to " + which_model(record);
    return text + (problem.empty() ? " was completed" : " ended with a problem: " + problem);
  }
  std::string text = "A call by " + who(record) + " to " + which_model(record);
  return text + (text_of(record.data, "effect") == "permit" ? " was permitted" : " was forbidden");
}

}  // namespace

Peer parse_peer(std::string_view text) {
  Peer peer;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return peer;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = parse_uint(text.substr(colon + 1));
  if (!port || *port > 65'535 || host.size() > 45 || !is_ip(std::string(host))) return peer;
  peer.ip = host;
  peer.port = static_cast<std::uint16_t>(*port);
  return peer;
}

bool is_call(const Record& record) {
  return record.type == "request.decided" || record.type == "request.completed" ||
         record.type == "request.refused";
}

bool has_findings(const Record& record) {
  return !list_of(record.data, "findings").empty();
}

bool is_incident(const Record& record) {
  return record.type.starts_with("incident.") || !record.readable;
}

bool is_failure(const Record& record) {
  if (is_incident(record)) return true;
  if (record.type == "request.decided") return text_of(record.data, "effect") != "permit";
  return ends_with_any(record.type, {".refused", ".failed"}) ||
         !text_of(record.data, "problem").empty();
}

Grade grade_of(const Record& record) {
  if (is_incident(record)) return Grade::high;
  if (record.type == "request.decided" && is_failure(record)) return Grade::medium;
  if (record.type.ends_with(".failed")) return Grade::medium;
  if (is_failure(record) || has_findings(record)) return Grade::low;
  return Grade::info;
}

std::string summary_of(const Record& record) {
  if (!record.readable)
    return "Entry " + std::to_string(record.index) + " of the ledger is no event";
  if (is_call(record)) return summary_of_call(record);
  std::string text = "Gatehouse: " + record.type;
  for (const char* name : {"id", "name", "prefix"}) {
    const std::string subject = text_of(record.subject, name);
    if (subject.empty()) continue;
    text += " " + subject;
    break;
  }
  std::string reason = text_of(record.data, "reason");
  if (reason.empty()) reason = text_of(record.data, "kind");  // of an incident
  return reason.empty() ? text : text + ": " + reason;
}

std::string finding_names(const Record& record, std::string_view member, std::size_t limit) {
  std::vector<std::string> names;
  for (const auto& finding : list_of(record.data, "findings")) {
    std::string name = text_of(finding, member);
    if (name.empty() || std::ranges::find(names, name) != names.end()) continue;
    names.push_back(std::move(name));
  }
  return list_names(names, limit);
}

std::string joined_texts(const Json& list, std::size_t limit) {
  std::vector<std::string> texts;
  for (const auto& item : list)
    if (item.is_string()) texts.push_back(to_utf8(item.get_ref<const std::string&>()));
  return list_names(texts, limit);
}

}  // namespace gatehouse::exporter
