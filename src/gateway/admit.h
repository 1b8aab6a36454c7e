// Admit: what a call could use at most is reserved from every limit it is under, before it is
// recorded and before it leaves; what it used is charged when its outcome is recorded. Also for
// calls of tools. On the worker's loop thread. docs/limits.md says what is reserved and charged.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "gateway/config_limits.h"
#include "gateway/exchange.h"
#include "gateway/problem.h"
#include "gateway/stages.h"
#include "limits/book.h"
#include "net/http.h"

namespace gatehouse::gateway {

// What is held for one call, and what is known of what it used.
struct Admission {
  limits::Reservation reservation;
  std::optional<limits::Refusal> refusal;
  Problem problem = Problem::rate_limited;  // of the refusal
  limits::Amounts once;                     // the worst case of one attempt at the provider
  limits::Amounts known;                    // of attempts whose usage is known
  limits::Price price;
  std::size_t sent = 0;   // attempts of which the provider may have seen something
  std::size_t noted = 0;  // of these, with known usage
  bool final = false;     // charged as reserved: nothing is left to learn
};

// The stage. Where no limit is for the call, exchange.admission stays null.
Verdict admit(Worker& worker, Exchange& exchange);
// Something else ends the call before it is recorded: gives everything back.
void release(Worker& worker, Exchange& exchange);

// forward.cc: the provider may have seen the request from now on.
void note_sent(Exchange& exchange);
// screen.cc: an attempt has ended. `whole`: its answer came to its end, so that what it says of its
// usage is all of it.
void note_usage(Exchange& exchange, const Usage& usage, bool whole);
// Before the outcome is recorded, and once more where a walk ends without one. What is not known is
// charged at its worst case.
void settle_limits(Worker& worker, Exchange& exchange);

// Of an open object, where there is something to say: with the decision, "limits" or
// "limit_exceeded"; with the outcome, or the decision of a call of a tool, "limits".
void write_reserved(JsonWriter& writer, const Admission& admission);
void write_charged(JsonWriter& writer, const Exchange& exchange);
void write_charged(JsonWriter& writer, const Admission& admission);

// How the caller stands, in the headers its SDK reads.
void add_limit_headers(const Worker& worker, const Exchange& exchange, net::ResponseHead& head);

// A call of a tool, in the answer of a model or over MCP. Views.
struct ToolCallToAdmit {
  const identity::Principal* principal = nullptr;
  std::string_view tool;                       // "SERVER/TOOL", or TOOL
  std::string_view model;                      // that made the call; empty: none is known
  std::string_view route;                      // "mcp", or that of the exchange
  std::string_view session;                    // id of the conversation; empty: none
  std::span<const std::string> policy_limits;  // values of @limit on the policies that permit it
  bool is_request = false;  // counts as a request too: a call over MCP, which is one by itself
  bool counted = false;     // as a call of a tool it counted when it left in an answer
};
struct RefusedToolCall {
  ApiError error;
  std::shared_ptr<Admission> admission;  // with what had no room
};
// Charges one call of a tool. The event that records the decision gets write_charged() on success;
// a call that does not happen after all is given back with book.settle(reservation, {}). On refusal
// the error is for the caller: 429 in dialects of models.
std::expected<std::shared_ptr<Admission>, RefusedToolCall> admit_tool_call(
    Worker& worker, const Snapshot& snapshot, const ToolCallToAdmit& call);

// Gives back what calls of tools in an answer were charged: the answer does not leave.
void release_tool_calls(Worker& worker, Exchange& exchange);
// The values of @limit among these.
std::vector<std::string> limits_of(const std::vector<policy::Obligation>& obligations);

// What replay makes of a recorded refusal: the member "limit_exceeded".
std::optional<Problem> refused_by_limit(std::string_view problem_name);

}  // namespace gatehouse::gateway
