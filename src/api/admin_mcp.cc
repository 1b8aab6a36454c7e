// See admin_mcp.h.
#include "api/admin_mcp.h"

#include <nlohmann/json.hpp>

#include "gateway/mcp_desk.h"
#include "gateway/mcp_news.h"
#include "gateway/mcp_upstream.h"
#include "gateway/risk.h"
#include "gateway/snapshot.h"
#include "inspect/inspect.h"
#include "mcp/catalogue.h"
#include "mcp/fetch.h"

namespace gatehouse::api {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> text_of(const json& request, const char* name) {
  const auto member = request.find(name);
  if (member != request.end() && member->is_string()) return member->get<std::string>();
  return fail(ErrorCode::invalid_argument, std::string("expected a string \"") + name + "\"");
}

Result<const gateway::McpServerConfig*> server_of(const gateway::Config& config,
                                                  const json& request) {
  GH_ASSIGN(const auto name, text_of(request, "server"));
  const auto* const server = config.mcp.find(name);
  if (server == nullptr)
    return fail(ErrorCode::not_found, "the server \"" + name + "\" is not in " +
                                          config.file.string() + " under mcp.servers");
  return server;
}

json to_json(const store::ToolRecord& record) {
  return {{"server", record.server},     {"tool", record.tool},
          {"digest", record.digest},     {"reviewed", record.reviewed},
          {"reviewer", record.reviewer}, {"changed", record.changed}};
}

Result<std::vector<std::string>> pages_of(gateway::ControlPlane& control,
                                          const gateway::Config& config,
                                          const gateway::McpServerConfig& server) {
  if (server.command)
    return mcp::fetch_tools(*control.mcp().process(server, gateway::mcp_hidden(config)));
  mcp::ServerAddress address{server.endpoint, server.target, {}, config.upstream_ca};
  gateway::set_mcp_credential(server, address.fields);
  return mcp::fetch_tools(address);
}

// What rules and the classifier find in one definition.
class Inspector {
 public:
  static Result<Inspector> make(const gateway::Config& config) {
    Inspector inspector;
    GH_ASSIGN(inspector.rules_, gateway::load_rules(config));
    GH_ASSIGN(inspector.risk_, gateway::load_risk_model(config.inspection));
    inspector.scanner_ = std::make_unique<inspect::Scanner>(inspector.rules_);
    return inspector;
  }
  void look(std::string_view definition, json& into) {
    auto filtered = inspect::filter_text(*scanner_, {}, inspect::TextForm::json, definition);
    std::map<std::string, int> counts;
    for (const auto& finding : filtered.findings) ++counts[rules_->rules()[finding.rule].id];
    into["findings"] = json::array();
    for (const auto& [rule, count] : counts)
      into["findings"].push_back({{"rule", rule}, {"count", count}});
    const std::vector<gateway::Channel> texts{
        {{}, definition, gateway::TextRole::text, false, gateway::Source::data}};
    into["injection_p"] = gateway::assess(*risk_, texts).p.injection;
  }

 private:
  std::shared_ptr<const inspect::RuleSet> rules_;
  gateway::RiskModel risk_;
  std::unique_ptr<inspect::Scanner> scanner_;
};

// Members of a JSON object.
std::string facts_of(Inspector& inspector, std::string_view definition) {
  json facts = json::object();
  inspector.look(definition, facts);
  const std::string object = dump(facts);
  return object.substr(1, object.size() - 2);
}

// What a server lists now, as where a client asks for the list.
Result<void> tell_ledger(gateway::ControlPlane& control, const gateway::Config& config,
                         const std::string& server, Inspector& inspector,
                         const std::vector<mcp::Catalogue::News>& news) {
  for (const auto& one : news) {
    if (!gateway::is_for_ledger(one, config.mcp.trust_on_first_use)) continue;
    const auto listed = control.mcp().catalogue().listed(server, one.tool);
    if (!listed) continue;
    GH_TRY(
        gateway::record_tool_news(control, server, one, facts_of(inspector, listed->definition)));
  }
  return {};
}

struct Current {
  std::vector<std::string> pages;  // the definitions look into them
  std::vector<mcp::ToolDefinition> tools;
  std::size_t unusable = 0;
};

Result<Current> ask(gateway::ControlPlane& control, const gateway::Config& config,
                    const gateway::McpServerConfig& server, Inspector& inspector) {
  Current current;
  GH_ASSIGN(current.pages, pages_of(control, config, server));
  for (const auto& text : current.pages) {
    GH_ASSIGN(const auto view, mcp::JsonView::parse(text));
    GH_ASSIGN(auto page, mcp::read_tools(view));
    current.unusable += page.unusable;
    for (auto& tool : page.tools) current.tools.push_back(std::move(tool));
  }
  GH_TRY(tell_ledger(control, config, server.name, inspector,
                     control.mcp().catalogue().note_list(server.name, current.tools)));
  return current;
}

Result<std::string> list(gateway::ControlPlane& control, const gateway::Config& config) {
  json servers = json::array();
  for (const auto& [name, server] : config.mcp.servers) {
    json tools = json::array();
    for (const auto& entry : control.mcp().catalogue().entries(name))
      tools.push_back({{"tool", entry.tool},
                       {"standing", to_string(entry.standing)},
                       {"reviewed_digest", entry.pinned},
                       {"listed_digest", entry.listed ? entry.listed->digest : ""}});
    servers.push_back({{"name", name},
                       {"at", server.command ? server.command->command.front() : server.url},
                       {"tools", std::move(tools)}});
  }
  return dump({{"servers", std::move(servers)}});
}

Result<std::string> review(gateway::ControlPlane& control, const gateway::Config& config,
                           const json& request) {
  GH_ASSIGN(const auto* server, server_of(config, request));
  GH_ASSIGN(auto inspector, Inspector::make(config));
  GH_ASSIGN(const auto current, ask(control, config, *server, inspector));
  json tools = json::array();
  for (const auto& tool : current.tools) {
    json one = {{"tool", tool.name},
                {"digest", tool.digest},
                {"standing", to_string(control.mcp().catalogue().standing_of(
                                 server->name, tool.name, tool.digest))},
                {"definition", json::parse(tool.json.raw(), nullptr, false)}};
    inspector.look(tool.json.raw(), one);
    tools.push_back(std::move(one));
  }
  return dump({{"tools", std::move(tools)}, {"unusable", current.unusable}});
}

Result<std::string> approve(gateway::ControlPlane& control, const gateway::Config& config,
                            const json& request, std::string_view actor) {
  GH_ASSIGN(const auto* server, server_of(config, request));
  GH_ASSIGN(const auto name, text_of(request, "tool"));
  GH_ASSIGN(const auto digest, text_of(request, "digest"));
  GH_ASSIGN(auto inspector, Inspector::make(config));
  GH_ASSIGN(const auto current, ask(control, config, *server, inspector));
  const auto tool = std::ranges::find(current.tools, name, &mcp::ToolDefinition::name);
  if (tool == current.tools.end())
    return fail(ErrorCode::not_found, "the server has no tool of this name");
  if (tool->digest != digest)
    return fail(ErrorCode::failed_precondition,
                "the server says something else now than what was reviewed; review it again");
  GH_ASSIGN(const auto record,
            control.registry().review_tool(server->name, name, digest, actor,
                                           facts_of(inspector, tool->json.raw())));
  control.mcp().catalogue().set_pin(server->name, name, digest, "");
  return dump({{"record", to_json(record)}});
}

Result<std::string> withdraw(gateway::ControlPlane& control, const json& request,
                             std::string_view actor) {
  GH_ASSIGN(const auto server, text_of(request, "server"));
  GH_ASSIGN(const auto tool, text_of(request, "tool"));
  GH_ASSIGN(const auto record, control.registry().withdraw_tool(server, tool, actor));
  control.mcp().catalogue().set_pin(server, tool, record.digest, mcp::withdrawn_mark);
  return dump({{"record", to_json(record)}});
}

}  // namespace

Result<std::string> administer_mcp(gateway::ControlPlane& control, const gateway::Config& config,
                                   std::string_view call, std::string_view body,
                                   std::string_view actor) {
  const auto request = json::parse(body, nullptr, false);
  if (!request.is_object())
    return fail(ErrorCode::invalid_argument, "the body must be a JSON object");
  if (call == "list") return list(control, config);
  if (call == "review") return review(control, config, request);
  if (call == "approve") return approve(control, config, request, actor);
  if (call == "withdraw") return withdraw(control, request, actor);
  return fail(ErrorCode::not_found, "no such administrative call");
}

}  // namespace gatehouse::api
