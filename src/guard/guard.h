// Guard models: somebody else's classifier is asked whether a text is harmless. Over HTTP: a Llama
// Guard style model behind an OpenAI API, a moderation API, or any service that takes and gives
// JSON. In this process: an ONNX file (local_model.h). docs/guards.md.
//
// Promises
//   1. Every question is answered within the guard's timeout, by a verdict: harmless, flagged, or
//      failed with the reason. Waiting for a place counts.
//   2. What cannot be read is a failure, never harmless. What a failure means is the guard's rule
//      (`on_error`), read by the caller.
//   3. At most `concurrency` questions of a loop thread are under way, or of the process for a
//   model
//      of its own; failures are not cached.
//   4. No loop thread waits for a model: those of this process have threads of their own.
// A Desk belongs to one loop thread, with its connections and its cache. Texts leave for the guard
// over HTTP: it is to be trusted with them like a provider (docs/guards.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/task.h"
#include "onnx/options.h"

namespace gatehouse::guard {

enum class Type : std::uint8_t {
  llama_guard,  // POST /chat/completions; the answer begins with "safe" or "unsafe\nS1,S2"
  moderation,   // POST /moderations; results[0].flagged and category_scores
  json,         // a template of one's own, and pointers into the answer
  onnx,         // a model of this process; `onnx` of Config
};
std::string_view to_string(Type type);

struct Config {
  std::string name;
  Type type = Type::llama_guard;
  std::string url;         // as written, for messages and the snapshot
  net::Endpoint endpoint;  // its base path: "/v1"
  std::string path;        // json: of the request
  std::string model;       // of the request; may be empty for moderation
  Secret credential;       // sent as Authorization: Bearer; empty: none
  std::chrono::milliseconds timeout{2'000};
  std::size_t concurrency = 64;         // of one loop thread
  std::size_t waiting = 1'024;          // beyond these a question fails at once
  std::size_t text_bytes = 256u << 10;  // longer texts fail: a part of them proves nothing
  std::size_t answer_bytes = 256u << 10;
  std::size_t cache_entries = 10'000;  // 0: none
  std::chrono::milliseconds cache_lifetime{600'000};
  bool allow_on_error = false;          // on_error: allow
  std::vector<std::string> categories;  // only these flag; empty: all
  double threshold = 0.5;               // moderation with categories, json with a score, onnx
  std::string request_template;         // json: "{{text}}" and "{{direction}}" stand for strings
  std::string flagged_pointer;          // json: RFC 6901 pointer to a boolean
  std::string score_pointer;            // json: pointer to a number
  onnx::Options onnx;                   // onnx: all of it; its limits are those above
  std::string fingerprint;              // digest of all of it but the credential; equal: same guard
};

// One item of `guards:`, paths seen from `folder`. The error lists every problem. Models of this
// process are not loaded yet.
Result<Config> read_config(const ConfigNode& node, const std::filesystem::path& folder = {});

enum class Direction : std::uint8_t { request, answer };
std::string_view to_string(Direction direction);

enum class Failure : std::uint8_t {
  none,
  timeout,
  unreachable,
  refused,     // the guard answered with an error status
  unreadable,  // its answer is not one of its type
  busy,        // too many questions wait
  too_long,
  cancelled,  // the caller of the gateway left
};
std::string_view to_string(Failure failure);

struct Verdict {
  bool flagged = false;
  Failure failure = Failure::none;
  std::vector<std::string> categories;  // what flagged, as the guard names it; bounded
  std::optional<double> score;
  bool cached = false;
  std::size_t windows = 0;     // onnx: that were read, of
  std::size_t windows_of = 0;  // those the text has
  std::chrono::milliseconds took{0};

  bool failed() const { return failure != Failure::none; }
};

// What is judged. Of an answer, `before` is what was asked; guards that read conversations see
// both.
struct Question {
  Direction direction = Direction::request;
  std::string_view text;
  std::string_view before;
};

// Into a verdict, within its bounds.
void take_categories(Verdict& verdict, std::span<const std::string> names);

// What is sent, and what an answer says. Pure.
std::string request_target(const Config& config);
std::string request_body(const Config& config, const Question& question);
Result<Verdict> read_answer(const Config& config, std::string_view body);

// Models of this process, by the guard's name.
class LocalModel;
using LocalModels = std::map<std::string, std::shared_ptr<LocalModel>, std::less<>>;

class Desk {
 public:
  Desk(net::Loop& loop, const Clock& clock, std::shared_ptr<net::TlsContext> tls);
  ~Desk();

  // `caller` may be null: when it is gone, nobody waits. It is used up: what it shall do next must
  // be registered again. What is referred to must stay until the task has ended.
  // `local` is the guard's model where it is of type onnx.
  net::Task<Verdict> ask(const Config& config, Question question, net::CancelSource* caller,
                         std::shared_ptr<LocalModel> local = nullptr);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace gatehouse::guard
