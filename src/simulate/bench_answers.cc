#include "simulate/bench_answers.h"

#include "base/result.h"
#include "simulate/plan.h"
#include "simulate/render.h"
#include "simulate/tokens.h"

namespace gatehouse::simulate {
namespace {

struct Size {
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array<Size, 3> kSizes = {{{"1k", 1'024}, {"2k", 2'048}, {"16k", 16'384}}};
constexpr std::size_t kPieceBytes = 16;
constexpr std::size_t kWriteBytes = 16u << 10;

// Inside a string these quotes would be escaped, so only a real member matches.
bool has_member(std::string_view body, std::string_view compact, std::string_view spaced) {
  return body.contains(compact) || body.contains(spaced);
}

std::string render_body(const Ask& ask, const Plan& plan) {
  return ask.dialect == Dialect::openai ? openai_body(ask, plan) : anthropic_body(ask, plan);
}
std::vector<std::string> render_events(const Ask& ask, const Plan& plan) {
  return ask.dialect == Dialect::openai ? openai_events(ask, plan) : anthropic_events(ask, plan);
}

// The answer's text is cut until the body has exactly the size (the usage figures vary in width).
Plan plan_of_size(const Ask& ask, std::size_t bytes) {
  const std::string text = join(long_tokens(bytes));
  std::size_t length = bytes;
  Plan plan;
  for (std::size_t size = 0; size != bytes; length += bytes - size) {
    plan.pieces = split_bytes(std::string_view(text).substr(0, length), kPieceBytes);
    size = render_body(ask, plan).size();
    if (size == bytes) break;
  }
  return plan;
}

// The role and first text leave alone, so that time to first token can be measured.
std::vector<std::string> join_writes(const std::vector<std::string>& events) {
  std::vector<std::string> writes(1);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i == 4 || writes.back().size() + events[i].size() > kWriteBytes) writes.emplace_back();
    writes.back() += events[i];
  }
  return writes;
}

BenchAnswer make_answer(Dialect dialect, const Size& size) {
  Ask ask;
  ask.dialect = dialect;
  ask.model = "simulator-bench-" + std::string(size.name);
  ask.include_obfuscation = false;
  ask.prompt_tokens = 100;
  ask.digest = fingerprint_hex(ask.model);
  const Plan plan = plan_of_size(ask, size.bytes);
  BenchAnswer answer;
  answer.body = render_body(ask, plan);
  answer.events = render_events(ask, plan);
  answer.writes = join_writes(answer.events);
  ask.include_usage = true;
  answer.events_with_usage = render_events(ask, plan);
  answer.writes_with_usage = join_writes(answer.events_with_usage);
  return answer;
}

}  // namespace

BenchAnswers::BenchAnswers() {
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic})
    for (std::size_t i = 0; i < kSizes.size(); ++i)
      answers_[static_cast<std::size_t>(dialect)][i] = make_answer(dialect, kSizes[i]);
}

const BenchAnswer* BenchAnswers::find(Dialect dialect, std::string_view body) const {
  static constexpr std::string_view kCompact = R"("model":"simulator-bench-)";
  static constexpr std::string_view kSpaced = R"("model": "simulator-bench-)";
  std::size_t at = body.find(kCompact);
  std::size_t name = at + kCompact.size();
  if (at == std::string_view::npos) {
    at = body.find(kSpaced);
    name = at + kSpaced.size();
  }
  if (at == std::string_view::npos) return nullptr;
  const std::string_view size = body.substr(name, body.substr(name).find('"'));
  for (std::size_t i = 0; i < kSizes.size(); ++i)
    if (kSizes[i].name == size) return &answers_[static_cast<std::size_t>(dialect)][i];
  return nullptr;
}

bool asks_to_stream(std::string_view body) {
  return has_member(body, R"("stream":true)", R"("stream": true)");
}

bool asks_for_usage(std::string_view body) {
  return has_member(body, R"("include_usage":true)", R"("include_usage": true)");
}

}  // namespace gatehouse::simulate
