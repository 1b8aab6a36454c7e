// What a call answered, noted so that it can be found again: fingerprints into the index of
// outputs, their digests into the outcome's event. On the worker's loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "gateway/exchange.h"
#include "gateway/stages.h"

namespace gatehouse::gateway {

// Of each choice; what comes behind is not looked at.
inline constexpr std::size_t most_output_bytes = 64u << 10;

// The texts of one answer as the client gets them, then what was noted of them.
struct NotedOutputs {
  struct One {
    std::uint64_t choice = 0;
    std::uint32_t words = 0;
    std::string digest;  // of its record in the journal
  };
  std::vector<std::pair<std::uint64_t, std::string>> texts;
  std::vector<One> noted;
  bool missed = false;  // the index could not take one
  std::shared_ptr<net::Completion<Result<void>>> durable;
};

// Whether the texts of this call's answer are to be collected; then exchange.outputs is set.
bool collects_outputs(Worker& worker, Exchange& exchange);
// From what the filters let go; from what the checks behind them let go, where there are some.
void collect_outputs(Exchange& exchange, const AnswerFacts& facts);
void collect_outputs(Exchange& exchange, const validate::Answer& answer);
// Makes the fingerprints and gives them to the index, beside which the event is recorded.
net::Task<Verdict> note_outputs(Worker& worker, Exchange& exchange);
// The member `provenance` of the outcome; nothing where nothing was noted.
void write_outputs(JsonWriter& writer, const Exchange& exchange);
// Waits until the index has them; in relaxed mode it does not.
net::Task<void> settle_outputs(Worker& worker, Exchange& exchange);

// What a model's answer is: as confidential as what was asked and what it says, and made by a
// model.
Label label_of_answer(const Exchange& exchange);
bool is_models_answer(const Exchange& exchange);

}  // namespace gatehouse::gateway
