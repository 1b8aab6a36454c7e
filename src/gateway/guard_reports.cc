// See guard_reports.h.
#include "gateway/guard_reports.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace gatehouse::gateway {
namespace {

void write_verdict(JsonWriter& writer, const guard::Verdict& verdict) {
  if (verdict.failed()) {
    writer.key("result").string("failed").key("failure").string(guard::to_string(verdict.failure));
  } else {
    writer.key("result").string(verdict.flagged ? "flagged" : "harmless");
  }
  if (!verdict.categories.empty()) {
    writer.key("categories").begin_array();
    for (const auto& category : verdict.categories) writer.string(category);
    writer.end_array();
  }
  if (verdict.score) writer.key("score").number(*verdict.score);
  if (verdict.windows_of > 0) {
    writer.key("windows").number(verdict.windows);
    writer.key("windows_of").number(verdict.windows_of);
  }
  if (verdict.cached) writer.key("cached").boolean(true);
  writer.key("ms").number(verdict.took.count());
}

}  // namespace

void write_guards(JsonWriter& writer, std::span<const GuardReport> reports) {
  if (reports.empty()) return;
  writer.key("guards").begin_array();
  for (const auto& report : reports) {
    writer.begin_object().key("name").string(report.name);
    writer.key("direction").string(guard::to_string(report.direction));
    write_verdict(writer, report.verdict);
    writer.key("denies").boolean(report.denies).end_object();
  }
  writer.end_array();
}

bool guards_denied(const nlohmann::json& guards) {
  return guards.is_array() && std::ranges::any_of(guards, [](const nlohmann::json& one) {
           return one.is_object() && one.value("denies", nlohmann::json(false)) == true;
         });
}

}  // namespace gatehouse::gateway
