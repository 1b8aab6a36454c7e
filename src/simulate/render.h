// A plan as bytes, in the exact shapes of each provider: whole bodies, stream events, errors,
// lists. Pure functions. Every string returned by an *_events function is one whole server-sent
// event.
//
// Invariants
//   1. Equal input gives equal bytes; ids come from the digest of the request.
//   2. All chunks of a stream carry the same id, model and creation time.
//   3. OpenAI streams end with [DONE], those of its Responses API with response.completed or
//      response.incomplete, Anthropic streams with message_stop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulate/ask.h"
#include "simulate/plan.h"

namespace gatehouse::simulate {

inline constexpr std::int64_t kCreated = 1'763'000'000;  // of every answer

std::string openai_body(const Ask& ask, const Plan& plan);
std::vector<std::string> openai_events(const Ask& ask, const Plan& plan);
std::string openai_fault(const Fault& fault);
std::string openai_fault_event(const Fault& fault);
std::string responses_body(const Ask& ask, const Plan& plan);
std::vector<std::string> responses_events(const Ask& ask, const Plan& plan);
std::string openai_embeddings(const EmbeddingAsk& ask);
std::string openai_models();
std::string openai_model(std::string_view id);

// Of the dialect and the API of the ask.
std::string whole_answer(const Ask& ask, const Plan& plan);
std::vector<std::string> answer_events(const Ask& ask, const Plan& plan);

std::string anthropic_body(const Ask& ask, const Plan& plan);
std::vector<std::string> anthropic_events(const Ask& ask, const Plan& plan);
std::string anthropic_fault(const Fault& fault, std::string_view request_id);
std::string anthropic_fault_event(const Fault& fault, std::string_view request_id);
std::string anthropic_count(const Ask& ask);
std::string anthropic_models();
std::string anthropic_model(std::string_view id);

}  // namespace gatehouse::simulate
