// Hostile policy text, hostile schema text, and hostile requests through the C interface of the
// engine. Whatever comes in, nothing crashes, and a request that is not understood is a deny.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <deque>

#include "policy/builtin.h"
#include "policy/context.h"
#include "policy/flatten.h"
#include "policy/policy.h"

namespace gatehouse::policy {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string builtin_text(std::string_view name) {
  for (const BuiltinFile& file : builtin_files())
    if (file.name == name) return std::string(file.text);
  std::abort();
}

Request some_request() {
  return {.principal = {.type = "User",
                        .id = "ada",
                        .attributes = {{"clearance_level", std::int64_t{0}}},
                        .parents = {}},
          .action = "list_models",
          .resource = {.type = "Gateway", .id = "gateway", .attributes = {}, .parents = {}},
          .context = {{"dialect", std::string("openai")},
                      {"purpose", std::string()},
                      {"hour", std::int64_t{1}},
                      {"weekday", std::int64_t{1}},
                      {"peer", std::string()},
                      {"delegation", delegation_record({})}},
          .others = {}};
}

void load(const Files& files) {
  const auto set = PolicySet::parse(files);
  if (!set) {
    if (set.error().message.empty()) std::abort();
    return;
  }
  const Decision decision = (*set)->decide(some_request());
  if (decision.permit && (!decision.errors.empty() || decision.determining.empty())) std::abort();
}

// The set every request is asked of; loaded once, it holds no state.
const gh_cedar_set* request_set() {
  static gh_cedar_set* const set = [] {
    const std::string schema = builtin_text("schema.cedarschema");
    const std::string policy = builtin_text("10-models.cedar");
    const gh_cedar_file schema_file{text_for_cedar("s"), text_for_cedar(schema)};
    const gh_cedar_file policy_file{text_for_cedar("p"), text_for_cedar(policy)};
    gh_cedar_set* loaded = nullptr;
    if (gh_cedar_load(text_for_cedar("Gatehouse"), &schema_file, &policy_file, 1, &loaded) !=
        GH_CEDAR_OK)
      std::abort();
    return loaded;
  }();
  return set;
}

// Draws text from the input, with a liking for names the schema knows; keeps it alive.
class Texts {
 public:
  explicit Texts(FuzzedDataProvider& input) : input_(input) {}

  gh_cedar_text next() {
    static constexpr std::string_view known[] = {
        "User",     "Model", "Provider", "Gateway", "infer",      "list_models", "name",
        "provider", "trust", "dialect",  "hour",    "registered", "findings",    "credentials",
        "label",    "tools", "peer",     "purpose", "weekday",    "delegation",  "clearance_level"};
    if (input_.ConsumeIntegralInRange(0, 7) > 0)
      return text_for_cedar(
          known[input_.ConsumeIntegralInRange<std::size_t>(0, std::size(known) - 1)]);
    return text_for_cedar(kept_.emplace_back(input_.ConsumeRandomLengthString(16)));
  }

 private:
  FuzzedDataProvider& input_;
  std::deque<std::string> kept_;
};

std::vector<gh_cedar_node> some_nodes(FuzzedDataProvider& input, Texts& texts) {
  std::vector<gh_cedar_node> nodes(input.ConsumeIntegralInRange<std::size_t>(0, 24));
  for (gh_cedar_node& node : nodes) {
    node.key = texts.next();
    node.text = texts.next();
    node.number = input.ConsumeBool() ? input.ConsumeIntegral<std::int64_t>()
                                      : input.ConsumeIntegralInRange<std::int64_t>(-1, 8);
    node.kind = input.ConsumeIntegralInRange<std::uint32_t>(0, 6);
  }
  return nodes;
}

void ask(FuzzedDataProvider& input) {
  Texts texts(input);
  const auto principal = some_nodes(input, texts);
  const auto resource = some_nodes(input, texts);
  const auto context = some_nodes(input, texts);
  const gh_cedar_uid parent{texts.next(), texts.next()};
  gh_cedar_request request{};
  request.principal = {
      {texts.next(), texts.next()}, {principal.data(), principal.size()}, nullptr, 0};
  request.action = texts.next();
  request.resource = {{texts.next(), texts.next()},
                      {resource.data(), resource.size()},
                      &parent,
                      input.ConsumeIntegralInRange<std::size_t>(0, 1)};
  request.context = {context.data(), context.size()};

  std::vector<std::uint8_t> outcomes(gh_cedar_policy_count(request_set()));
  gh_cedar_decision decision{.permit = 1, .outcomes = outcomes.data(), .errors = {nullptr, 0}};
  const int status = gh_cedar_decide(request_set(), &request, &decision);
  const bool has_errors = decision.errors.data != nullptr;
  if (status == GH_CEDAR_PANIC || ((status != GH_CEDAR_OK) && decision.permit != 0) ||
      (status != GH_CEDAR_OK && !has_errors) || (has_errors && decision.permit != 0))
    std::abort();
  gh_cedar_text_free(decision.errors);
}

}  // namespace
}  // namespace gatehouse::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::policy;
  FuzzedDataProvider input(data, size);
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0: {
      const std::string schema = builtin_text("schema.cedarschema");
      load({{"schema.cedarschema", schema}, {"a.cedar", input.ConsumeRemainingBytesAsString()}});
      break;
    }
    case 1:
      load({{"schema.cedarschema", input.ConsumeRemainingBytesAsString()},
            {"a.cedar", "permit (principal, action, resource);"}});
      break;
    default:
      ask(input);
  }
  return 0;
}
