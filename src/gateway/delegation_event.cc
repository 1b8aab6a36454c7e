// See delegation_event.h.
#include "gateway/delegation_event.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "gateway/actor.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t max_scope_bytes = 16u << 10;

std::unexpected<Error> refuse(std::string_view part) {
  return fail(ErrorCode::invalid_argument,
              "\"" + printable(utf8_prefix(part, 64)) +
                  "\" is none of model:NAME, tool:SERVER/TOOL, clearance:0…3, budget:MICROS");
}

Result<std::int64_t> number_from(std::string_view part, std::string_view text, std::uint64_t most) {
  const auto number = parse_uint(text);
  if (!number || *number > most) return refuse(part);
  return static_cast<std::int64_t>(*number);
}

void add(std::optional<std::vector<std::string>>& names, std::string_view name) {
  if (!names) names.emplace();
  names->emplace_back(name);
}

}  // namespace

Result<std::string> delegation_issued(const Config& config, const identity::Grant& grant,
                                      std::string actor, WallTime time, Random& random) {
  ledger::Event event;
  event.id = make_uuid7(time, random);
  event.time = time;
  event.type = "delegation.issued";
  event.node = config.node;
  event.actor = std::move(actor);
  JsonWriter subject(event.subject);
  subject.begin_object();
  write_actor(subject, grant.principal);
  subject.end_object();
  JsonWriter data(event.data);
  data.begin_object().key("id").string(grant.id);
  data.key("expires").string(format_time(grant.expires));
  data.key("from").begin_array();
  for (const auto& id : grant.from) data.string(id);
  data.end_array();
  if (!grant.key_thumbprint.empty()) data.key("bound_to").string(grant.key_thumbprint);
  if (grant.once) data.key("once").boolean(true);
  data.end_object();
  return ledger::serialize(event);
}

Result<identity::Scope> parse_scope(std::string_view text) {
  identity::Scope scope;
  if (text.size() > max_scope_bytes) return refuse("a scope this long");
  std::size_t names = 0;
  for (const auto part : split(text, ' ')) {
    if (part.empty()) continue;
    const auto colon = part.find(':');
    const auto kind = part.substr(0, colon);
    const auto value =
        colon == std::string_view::npos ? std::string_view() : part.substr(colon + 1);
    if (value.empty() || !is_utf8(part) || ++names > identity::max_scope_names) return refuse(part);
    if (kind == "model") {
      add(scope.models, value);
    } else if (kind == "tool") {
      add(scope.tools, value);
    } else if (kind == "clearance" && !scope.clearance) {
      GH_ASSIGN(scope.clearance, number_from(part, value, 3));
    } else if (kind == "budget" && !scope.budget_micros) {
      GH_ASSIGN(scope.budget_micros, number_from(part, value, 1ull << 52));
    } else {
      return refuse(part);
    }
  }
  for (auto* list : {&scope.models, &scope.tools})
    if (*list) std::ranges::sort(**list);
  return scope;
}

}  // namespace gatehouse::gateway
