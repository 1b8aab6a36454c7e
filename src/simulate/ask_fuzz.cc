// Whatever a caller sends is read, planned and rendered in both dialects without harm.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simulate/ask.h"
#include "simulate/plan.h"
#include "simulate/render.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gatehouse::simulate;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)plan_from_script(std::string(body));
  if (auto embedding = read_embedding_ask(body); auto* ask = std::get_if<EmbeddingAsk>(&embedding))
    if (ask->inputs.size() < 16) (void)openai_embeddings(*ask);
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
    auto read = read_ask(dialect, body);
    auto* ask = std::get_if<Ask>(&read);
    if (ask == nullptr || ask->choices > 4) continue;
    ask->max_tokens = 64;
    const Plan plan = make_plan(*ask, Reflection{});
    if (dialect == Dialect::openai) {
      (void)openai_body(*ask, plan);
      (void)openai_events(*ask, plan);
    } else {
      (void)anthropic_body(*ask, plan);
      (void)anthropic_events(*ask, plan);
    }
  }
  auto read = read_responses_ask(body);
  if (auto* ask = std::get_if<Ask>(&read)) {
    ask->max_tokens = 64;
    const Plan plan = make_plan(*ask, Reflection{});
    (void)responses_body(*ask, plan);
    (void)responses_events(*ask, plan);
  }
  return 0;
}
