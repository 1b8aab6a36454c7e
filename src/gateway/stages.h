// The stages of the walk, in order: the table of contents of this folder. Each is one file with
// one entry function. A stage either lets the exchange go on or says why it ends here; nothing
// after the failing stage runs. All on the worker's loop thread.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/dialect.h"
#include "gateway/exchange.h"
#include "gateway/worker.h"
#include "ledger/event.h"
#include "net/server.h"
#include "net/task.h"

namespace gatehouse::gateway {

using Verdict = std::expected<void, ApiError>;

inline std::unexpected<ApiError> refuse(Problem problem, std::string message) {
  return std::unexpected(ApiError{problem, std::move(message)});
}

#define GH_STAGE(expression)                                      \
  do {                                                            \
    if (auto gh_verdict = (expression); !gh_verdict) [[unlikely]] \
      co_return std::unexpected(std::move(gh_verdict).error());   \
  } while (false)

// accept.cc: which route and dialect this is; false for paths the gateway serves itself.
bool is_operations_path(std::string_view path);
net::Task<void> answer_operations(Worker& worker, net::ServerStream& client);
Verdict accept(Worker& worker, net::ServerStream& client, Exchange& exchange);

// identify.cc: credential -> Principal. Waits only where a token names a key nobody has seen.
net::Task<Verdict> identify(Worker& worker, net::ServerStream& client, Exchange& exchange);

// decode.cc: the body -> channels.
net::Task<Verdict> decode(Worker& worker, net::ServerStream& client, Exchange& exchange);

// inspect.cc: every channel -> findings and a label.
net::Task<Verdict> inspect_request(Worker& worker, Exchange& exchange);
void scan_channels(Exchange& exchange);  // its work, with exchange.scanner

// transform.cc: the id of the conversation, where the client names one.
Verdict name_session(const Worker& worker, Exchange& exchange);

// decide.cc: principal, action, resource, context -> decision and plan.
Verdict decide(const Worker& worker, Exchange& exchange);

// consult.cc: the guard models that policy wants asked; a permit may become a deny.
net::Task<Verdict> consult(Worker& worker, net::ServerStream& client, Exchange& exchange);
// The same for the text of an answer.
net::Task<Verdict> consult_about_answer(Worker& worker, net::ServerStream& client,
                                        Exchange& exchange, const std::string& answer);

// record.cc: events into the ledger; in strict mode they return when the event is durable.
net::Task<Verdict> record_decision(Worker& worker, Exchange& exchange);
net::Task<Verdict> record_refusal(Worker& worker, Exchange& exchange, const ApiError& error);
net::Task<Verdict> record_outcome(Worker& worker, Exchange& exchange);
// What events of other kinds of calls share: durable as those of record_decision(); who asked; what
// was found; what callers call things, with "[KIND]" in the place of what the rules find in it.
net::Task<Verdict> append_event(Worker& worker, const Exchange& exchange, ledger::Event event);
std::string describe_actor(const Exchange& exchange);
void write_findings_json(JsonWriter& writer, const Exchange& exchange,
                         const FindingTotals& findings);
std::string without_findings(inspect::Scanner& scanner, std::string_view text);
// Notes bytes of the answer's body for the outcome; before they are sent.
void note_answer(const Worker& worker, Exchange& exchange, std::string_view bytes);

// transform.cc: obligations on the request; afterwards exchange.body is what leaves.
net::Task<Verdict> transform(Worker& worker, Exchange& exchange);

// forward.cc: to the upstream. The answer's head has come when it returns.
using Upstream = std::unique_ptr<net::ClientStream>;
net::Task<std::expected<Upstream, ApiError>> forward(Worker& worker, net::ServerStream& client,
                                                     Exchange& exchange);

// screen.cc: the answer, whole or streaming, to the client; records the outcome on the way.
net::Task<Verdict> screen(Worker& worker, net::ServerStream& client, Exchange& exchange,
                          Upstream upstream);

// receipts.cc: the way of a receipt, after identify.
net::Task<Verdict> receipt(Worker& worker, net::ServerStream& client, Exchange& exchange);

// Texts this long are looked into beside the loop, where nobody waits behind them: at some 300 MB/s
// they take about a millisecond. Whoever does so uses a scanner and a walker of its own.
inline constexpr std::size_t large_text = 256u << 10;
inline bool is_large(std::string_view text) {
  return text.size() > large_text;
}
// walk.cc: runs `work` there.
net::Task<Verdict> beside_the_loop(Worker& worker, std::move_only_function<void()> work);

// walk.cc: what a call is answered whose walk threw; noted in the log.
ApiError internal_error(const Exchange& exchange, const std::exception_ptr& thrown);

// walk.cc: what every answer of the gateway carries.
net::ResponseHead answer_head(const Exchange& exchange, int status, std::string_view content_type);

// Adds the time until it is destroyed to one stage.
class StageTimer {
 public:
  StageTimer(const Worker& worker, Exchange& exchange, Stage stage)
      : clock_(worker.control.clock()),
        total_(exchange.spent[static_cast<std::size_t>(stage)]),
        begin_(clock_.steady()) {}
  ~StageTimer() { total_ += clock_.steady() - begin_; }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  const Clock& clock_;
  std::chrono::nanoseconds& total_;
  SteadyTime begin_;
};

}  // namespace gatehouse::gateway
