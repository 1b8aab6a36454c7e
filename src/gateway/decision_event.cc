// See decision_event.h.
#include "gateway/decision_event.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace gatehouse::gateway {
namespace {

template <class T>
std::span<const T> first_of(const std::vector<T>& list) {
  return std::span(list).first(std::min(list.size(), longest_list));
}

void write_strings(JsonWriter& writer, const std::vector<std::string>& values) {
  writer.begin_array();
  for (const auto& value : first_of(values)) writer.string(utf8_prefix(value, longest_name));
  if (values.size() > longest_list)
    writer.string("and " + std::to_string(values.size() - longest_list) + " more");
  writer.end_array();
}

void write_obligations(JsonWriter& writer, const std::vector<policy::Obligation>& obligations) {
  writer.begin_array();
  for (const auto& [name, value] : first_of(obligations))
    writer.begin_object().key(name).string(utf8_prefix(value, longest_name)).end_object();
  writer.end_array();
}

void write_shadows(JsonWriter& writer, const std::vector<policy::Decision::Shadow>& shadows) {
  writer.begin_array();
  for (const auto& shadow : first_of(shadows)) {
    writer.begin_object().key("policy").string(utf8_prefix(shadow.policy, longest_name));
    writer.key("effect").string(shadow.permit ? "permit" : "forbid").key("obligations");
    write_obligations(writer, shadow.obligations);
    writer.end_object();
  }
  writer.end_array();
}

bool is_cut(const std::vector<std::string>& values) {
  return values.size() > longest_list || std::ranges::any_of(values, [](const std::string& value) {
           return value.size() > longest_name;
         });
}

bool is_cut(const std::vector<policy::Obligation>& obligations) {
  return obligations.size() > longest_list ||
         std::ranges::any_of(obligations, [](const policy::Obligation& one) {
           return one.value.size() > longest_name;
         });
}

bool is_cut(const std::vector<policy::Decision::Shadow>& shadows) {
  return shadows.size() > longest_list ||
         std::ranges::any_of(shadows, [](const policy::Decision::Shadow& one) {
           return one.policy.size() > longest_name || is_cut(one.obligations);
         });
}

}  // namespace

void write_decision(JsonWriter& writer, const policy::Decision& decision,
                    std::optional<Problem> problem) {
  writer.key("effect").string(decision.permit ? "permit" : "forbid");
  if (problem) {
    writer.key("problem").string(name_of(*problem));
    writer.key("status").number(status_of(*problem));
  }
  writer.key("policies");
  write_strings(writer, decision.determining);
  writer.key("obligations");
  write_obligations(writer, decision.obligations);
  if (!decision.errors.empty()) {
    writer.key("errors");
    write_strings(writer, decision.errors);
  }
  if (!decision.shadow.empty()) {
    writer.key("shadow");
    write_shadows(writer, decision.shadow);
  }
}

std::vector<std::string_view> cut_members(const policy::Decision& decision) {
  std::vector<std::string_view> cut;
  if (is_cut(decision.determining)) cut.emplace_back("policies");
  if (is_cut(decision.obligations)) cut.emplace_back("obligations");
  if (is_cut(decision.errors)) cut.emplace_back("errors");
  if (is_cut(decision.shadow)) cut.emplace_back("shadow");
  return cut;
}

std::string blocked_by(const policy::Decision& decision) {
  std::string message = "Blocked by policy";
  for (std::size_t at = 0; at < decision.determining.size(); ++at)
    message += (at == 0 ? " " : ", ") + decision.determining[at];
  if (!decision.errors.empty()) message += " (a policy could not be evaluated)";
  message += '.';
  for (const auto& advice : decision.advice) message += " " + advice;
  return message;
}

}  // namespace gatehouse::gateway
