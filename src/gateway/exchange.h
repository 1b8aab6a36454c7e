// Exchange is the one neutral type of the walk: what is known about one call, filled stage by
// stage. It lives in the coroutine of its request, on one loop thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "gateway/check_types.h"
#include "gateway/problem.h"
#include "guard/guard.h"
#include "identity/identity.h"
#include "inspect/inspect.h"
#include "label/label.h"
#include "net/http.h"
#include "policy/context.h"
#include "policy/policy.h"
#include "store/store.h"

namespace gatehouse::gateway {

struct Admission;
class DecisionCache;
class Dialect;
struct Keeping;
struct NotedOutputs;
struct Snapshot;
struct ProviderConfig;
struct ToolTurn;

enum class Route : std::uint8_t {
  chat_completions,
  embeddings,
  list_models,
  messages,
  count_tokens,
  responses,
  receipts,
  provenance,
  mcp,
  administration,
  approvals,
  directory,  // SCIM
};
std::string_view to_string(Route route);
// A model says something, whole or as a stream; the others count, embed, list.
inline bool is_conversation(Route route) {
  return route == Route::chat_completions || route == Route::messages || route == Route::responses;
}

// How a text may be treated.
enum class TextRole : std::uint8_t {
  text,      // inspected; may be replaced
  json,      // inspected as JSON inside a string (tool-call arguments); may be replaced
  raw_json,  // a JSON value of the body itself (tool input), inspected whole, so that each value
             // has its key as context; may be replaced
  covered,   // inside a raw_json channel; only its placeholders are noted
  fixed,     // inspected, never changed (an object key, the query of the URL)
  signed_,   // signed by the provider, never changed; only credentials are looked for
  opaque,    // not inspected: encoded bytes, signatures
};

// Whose words a text is: what a classifier expects of it depends on that. Only what models read as
// content has one.
enum class Source : std::uint8_t {
  none,
  system,
  user,
  assistant,
  data,  // what tools, files and retrieval brought; a document to embed
};

// One run of text with its position in the original bytes.
struct Channel {
  JsonSpan inside;  // inside the quotes; the whole token for a number, the whole raw_json
  std::string_view
      text;  // decoded (raw_json: as it stands); points into Exchange::body or Exchange::decoded
  TextRole role = TextRole::text;
  bool is_number = false;
  Source source = Source::none;
};

// What was found, counted by rule. Spans stay with the transform stage.
struct FindingCount {
  std::uint32_t rule = 0;
  std::uint32_t count = 0;
};

struct FindingTotals {
  std::vector<FindingCount> by_rule;
  std::array<std::uint64_t, inspect::category_count> by_category{};
  void add(const std::vector<inspect::Finding>& findings);
  void add(const FindingTotals& more);

 private:
  void add(std::uint32_t rule, std::uint32_t count);
};

// What the obligations of the decision ask for.
struct Plan {
  inspect::Categories redact;         // in the request
  inspect::Categories redact_answer;  // in the answer
  bool validate_json = false;
  std::vector<std::string> guards;         // that must find the request harmless
  std::vector<std::string> answer_guards;  // the same of the answer
  std::vector<PlannedCheck> checks;        // of the answer
  std::optional<CheckAction> canary;       // what comes of a leak; none: no canary is used
  std::vector<std::string> limits;         // that apply because policy says so
  std::map<std::string, std::string, std::less<>> headers;  // of the answer
};

// What a guard model said, and what came of it.
struct GuardReport {
  std::string name;
  guard::Direction direction = guard::Direction::request;
  guard::Verdict verdict;
  bool denies = false;
};

struct Usage {
  std::optional<std::uint64_t> input_tokens;
  std::optional<std::uint64_t> output_tokens;
  // Where a provider counts them apart from input_tokens.
  std::optional<std::uint64_t> cache_read_tokens;
  std::optional<std::uint64_t> cache_write_tokens;
};

// The stages, for the histogram of added latency.
enum class Stage : std::uint8_t {
  identify,
  decode,
  inspect,
  decide,
  consult,
  record,
  transform,
  forward,
  screen,
  outcome
};
inline constexpr std::size_t stage_count = 10;
std::string_view to_string(Stage stage);

struct Exchange {
  // accept
  std::string id;  // UUIDv7; the entry id of the decision
  WallTime time;
  SteadyTime started;
  const net::RequestHead* head = nullptr;
  std::string peer;
  std::optional<Route> route;  // none: no path of ours
  const Dialect* dialect = nullptr;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<inspect::Scanner> scanner;  // of the snapshot's rules
  std::shared_ptr<DecisionCache> decisions;   // of the snapshot's policies
  std::string body;

  // identify
  identity::Principal principal;
  std::string challenge;    // of a 401: what its WWW-Authenticate says
  std::string proof_nonce;  // of an answer: what the next proof has to have

  // decode
  std::string model_name;
  JsonSpan model_inside;
  bool stream = false;
  bool wants_stream_usage = false;                  // the client asked for it
  std::optional<JsonSpan> stream_usage_value;       // position of include_usage's value
  std::optional<std::size_t> stream_options_begin;  // position of the '{' of stream_options
  std::optional<JsonSpan> stream_options_null;      // stream_options: null
  bool json_answer = false;                         // response_format asks for JSON
  bool uninspectable = false;                       // images, files, token ids
  bool continues_stored = false;                    // turns that the provider keeps
  std::optional<std::uint64_t> most_output_tokens;  // that the client asks for
  std::uint64_t choices = 1;                        // answers it asks for
  std::vector<std::string> tools;
  std::vector<Channel> channels;
  std::deque<std::string> decoded;

  // inspect
  FindingTotals findings;
  std::vector<std::size_t> channels_with_findings;
  Label label;
  policy::RiskValues risk;
  std::vector<std::string_view> marks;  // in the texts: "c2pa", "gatehouse"

  std::shared_ptr<ToolTurn> tool_turn;  // none: tools play no part (tool_calls.h)

  // decide
  const store::ModelRecord* model = nullptr;
  const ProviderConfig* provider = nullptr;
  policy::Decision decision;
  Plan plan;

  // admit
  std::shared_ptr<Admission> admission;  // none: no limit is for this call (admit.h)
  std::vector<std::shared_ptr<Admission>> tool_admissions;  // of calls of tools in the answer

  // consult
  std::vector<GuardReport> guard_reports;
  std::size_t guards_recorded = 0;  // of these, with the decision
  std::string asked;                // what guards of the answer are shown of the request

  // transform
  inspect::Placeholders placeholders;
  inspect::Placeholders masks;  // what masks the answer's own data; never restored
  std::string session_id;       // keyed hash; empty when the client named no conversation
  std::size_t redacted = 0;

  // checks of the answer
  validate::RequestFacts facts;            // only where a check may ask
  std::vector<CheckRecord> check_records;  // of every attempt
  std::size_t attempt = 1;
  bool ask_again = false;  // the provider, instead of giving this answer

  // keep
  std::shared_ptr<Keeping> keeping;  // none: no content of this call is kept (keep.h)

  // record
  std::shared_ptr<NotedOutputs> outputs;  // none: its texts are not noted (outputs.h)
  std::string actor_json;                 // the same in both events
  std::string subject_json;
  bool decision_recorded = false;
  bool outcome_recorded = false;

  // outcome
  int status = 0;
  std::optional<Problem> problem;
  FindingTotals answer_findings;
  std::size_t restored = 0;
  std::uint64_t answer_bytes = 0;
  crypto::Sha256Stream answer_digest;  // of salt and what the client gets; see record.cc
  Usage usage;
  Usage earlier_usage;  // of the attempts before
  std::string finish_reason;
  bool client_left = false;
  std::array<std::chrono::nanoseconds, stage_count> spent{};
};

}  // namespace gatehouse::gateway
