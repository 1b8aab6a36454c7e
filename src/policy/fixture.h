// For the tests of this room: a request as the gateway makes one, and sets with a policy or two.
#pragma once

#include <gtest/gtest.h>

#include "policy/builtin.h"
#include "policy/context.h"

namespace gatehouse::policy {

using Files = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::int64_t credentials = 0;
  std::int64_t personal = 0;
  std::string trust = "external";
  bool registered = true;
  Attributes principal = {};
  RiskValues risk = {};
};

inline Request make_request(const Call& call = {}) {
  Request request;
  request.principal = {.type = "User", .id = "ada", .attributes = call.principal, .parents = {}};
  request.principal.attributes.emplace_back("clearance_level", std::int64_t{0});
  request.action = "infer";
  request.resource = {.type = "Model",
                      .id = "gpt-4o",
                      .attributes = {{"name", std::string("gpt-4o")},
                                     {"provider", std::string("openai")},
                                     {"trust", call.trust},
                                     {"registered", call.registered},
                                     {"clearance", std::int64_t{0}},
                                     {"clearance_level", std::int64_t{0}}},
                      .parents = {{"Provider", "openai"}}};
  request.context = {
      {"dialect", std::string("openai")},
      {"route", std::string("chat.completions")},
      {"stream", false},
      {"purpose", std::string()},
      {"hour", std::int64_t{14}},
      {"weekday", std::int64_t{2}},
      {"peer", std::string("192.0.2.17")},
      {"label", Record{{"confidentiality", std::int64_t{1}},
                       {"categories", std::vector<std::string>{"personal.email"}},
                       {"integrity", std::int64_t{1}}}},
      {"findings", findings_record({static_cast<std::uint64_t>(call.credentials),
                                    static_cast<std::uint64_t>(call.personal)})},
      {"risk", risk_record(call.risk)},
      {"uninspectable", false},
      {"tools", std::vector<std::string>{"search"}},
      {"delegation",
       delegation_record(
           {.depth = 0, .actors = {"user:ada"}, .root_kind = "user", .root_id = "ada"})}};
  return request;
}

inline Value& context_value(Request& request, std::string_view name) {
  for (auto& [key, value] : request.context)
    if (key == name) return value;
  ADD_FAILURE() << "no context attribute " << name;
  return request.context.front().second;
}

// The built-in schema with these policies instead of the built-in ones.
inline Result<std::shared_ptr<const PolicySet>> parse_policies(std::string text) {
  Files files = {{"a.cedar", std::move(text)}};
  for (const BuiltinFile& file : builtin_files())
    if (file.name == "schema.cedarschema") files.emplace_back(file.name, file.text);
  return PolicySet::parse(files);
}

inline std::shared_ptr<const PolicySet> policies(std::string text) {
  auto set = parse_policies(std::move(text));
  EXPECT_TRUE(set.has_value()) << set.error().describe();
  return set ? *set : nullptr;
}

inline std::string load_error(std::string text) {
  const auto set = parse_policies(std::move(text));
  EXPECT_FALSE(set.has_value());
  return set ? std::string() : set.error().describe();
}

constexpr std::string_view permit_infer =
    "permit (principal, action == Gatehouse::Action::\"infer\", resource)";
constexpr std::string_view forbid_infer =
    "forbid (principal, action == Gatehouse::Action::\"infer\", resource)";

}  // namespace gatehouse::policy
