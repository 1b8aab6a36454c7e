// A provider's way of speaking. A dialect finds channels and puts text back; it never builds a
// model of the provider's whole API, so fields it has never heard of pass through untouched.
// Stateless and shared; per-stream state is in the AnswerStream it makes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config.h"
#include "gateway/exchange.h"
#include "gateway/json_walk.h"
#include "gateway/problem.h"
#include "gateway/sse.h"
#include "inspect/inspect.h"
#include "net/http.h"

namespace gatehouse::gateway {

// What an answer, whole or streamed, said about itself.
struct AnswerFacts {
  FindingTotals findings;
  std::size_t restored = 0;
  Usage usage;
  std::string finish_reason;
  bool provider_error = false;  // a mid-stream error event came by

  // The content of each choice as it leaves here, kept when a plan asks for it.
  struct Content {
    std::uint64_t choice = 0;
    std::string text;
    bool calls_tools = false;  // it ended in tool calls: its text is not the answer
  };
  std::vector<Content> contents;
  Content& content_of(std::uint64_t choice);
  // Adds to a content of a stream, as long as it has less than `most` bytes.
  void add_content(std::uint64_t choice, std::string_view text, std::size_t most);
};

// How the texts of an answer are filtered: one plan, one scanner, placeholders of the request.
struct AnswerPlan {
  JsonWalker* walker = nullptr;  // used only inside a call, so one a thread will do
  inspect::Scanner* scanner = nullptr;
  inspect::FilterPlan filter;
  std::string_view own_words;    // of the caller: arguments of calls may say them again unmasked
  bool content_is_json = false;  // the client asked for JSON: restore inside it as JSON
  bool keep_content = false;     // collect AnswerFacts::contents
  std::size_t most_content_bytes = ~std::size_t{0};  // of each, in a stream
  bool swallow_usage = false;  // stream usage was asked for by the gateway, not by the client
  std::size_t max_event_bytes = 1u << 20;
};

// Screens one streamed answer: bytes of the upstream in, bytes for the client out. Output is made
// of whole events. For every way to cut the input the concatenated output is the same.
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  // Appends to `out` what may leave now; nothing of what comes after the dialect's last event.
  // Error: the upstream's bytes are not a valid stream.
  virtual Result<void> feed(std::string_view bytes, std::string& out) = 0;
  // The upstream ended; appends the rest. `complete` says whether a proper end was seen.
  virtual Result<void> finish(std::string& out) = 0;
  // Nothing more leaves: what the open channels found is counted, their held text is dropped.
  virtual void close() = 0;
  virtual bool complete() const = 0;
  // The dialect's last event has come ([DONE], message_stop).
  virtual bool ended() const = 0;
  virtual const AnswerFacts& facts() const = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual DialectKind kind() const = 0;

  // The whole error answer. `request_id` is the entry id.
  virtual std::string error_body(const ApiError& error, std::string_view request_id) const = 0;
  // The same in the middle of a stream, as one event.
  virtual std::string error_event(const ApiError& error, std::string_view request_id) const = 0;
  // The header this dialect's SDK reads the request id from.
  virtual std::string_view request_id_header() const = 0;

  // Puts the provider's credential into the head.
  virtual void authorize(net::RequestHead& head, std::string_view credential) const = 0;

  // Reads one request body into `exchange`: model, flags, channels.
  virtual Result<void> decode(JsonWalker& walker, Exchange& exchange) const = 0;

  // Screens a whole answer in place.
  virtual Result<void> screen(const AnswerPlan& plan, std::string& body,
                              AnswerFacts& facts) const = 0;
  virtual std::unique_ptr<AnswerStream> open_stream(const AnswerPlan& plan) const = 0;

  // The answer to list_models for these names.
  virtual std::string models_body(const std::vector<const store::ModelRecord*>& models) const = 0;
};

const Dialect& openai_dialect();
const Dialect& responses_dialect();  // of the same providers as the OpenAI dialect
const Dialect& anthropic_dialect();
const Dialect& dialect_of(DialectKind kind);

}  // namespace gatehouse::gateway
