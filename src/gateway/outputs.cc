// See outputs.h.
#include "gateway/outputs.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/log.h"
#include "base/text.h"
#include "gateway/question.h"
#include "provenance/index.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_choices = 128;  // of one answer; an event has room for them

bool says_something(const Exchange& exchange) {
  return exchange.route && is_conversation(*exchange.route);
}

provenance::Output output_of(const provenance::Keys& keys, const Exchange& exchange,
                             std::uint64_t choice, std::string_view text) {
  provenance::Output output;
  output.entry = provenance::parse_entry_id(exchange.id).value_or(provenance::EntryId{});
  output.choice = static_cast<std::uint16_t>(std::min<std::uint64_t>(choice, 0xFFFF));
  output.model = utf8_prefix(exchange.model_name, provenance::longest_model);
  output.fingerprint = provenance::fingerprint_of(keys, text, provenance::most_output_words);
  return output;
}

std::vector<provenance::Output> outputs_of(const provenance::Keys& keys, const Exchange& exchange) {
  std::vector<provenance::Output> outputs;
  for (const auto& [choice, text] : exchange.outputs->texts) {
    auto output = output_of(keys, exchange, choice, text);
    if (output.fingerprint.words >= exchange.snapshot->config->provenance.min_words)
      outputs.push_back(std::move(output));
  }
  return outputs;
}

// Runs once when the index has all of them, with the first error.
class Together {
 public:
  Together(std::size_t count, std::shared_ptr<net::Completion<Result<void>>> done)
      : left_(count), done_(std::move(done)) {}
  void settle(const Result<void>& one) {  // the index's thread, or the loop's before it was taken
    if (!one && !failed_.exchange(true)) error_ = one.error();
    if (--left_ > 0) return;
    done_->complete(failed_ ? Result<void>(std::unexpected(error_)) : Result<void>{});
  }

 private:
  std::atomic<std::size_t> left_;
  std::atomic<bool> failed_ = false;
  Error error_;
  std::shared_ptr<net::Completion<Result<void>>> done_;
};

void collect(Exchange& exchange, std::uint64_t choice, std::string_view text) {
  auto& texts = exchange.outputs->texts;
  if (!text.empty() && texts.size() < most_choices)
    texts.emplace_back(choice, utf8_prefix(text, most_output_bytes));
}

}  // namespace

bool collects_outputs(Worker& worker, Exchange& exchange) {
  if (!worker.control.outputs() || !says_something(exchange)) return false;
  if (!exchange.outputs) exchange.outputs = std::make_shared<NotedOutputs>();
  return true;
}

void collect_outputs(Exchange& exchange, const AnswerFacts& facts) {
  exchange.outputs->texts.clear();
  for (const auto& content : facts.contents) collect(exchange, content.choice, content.text);
}

void collect_outputs(Exchange& exchange, const validate::Answer& answer) {
  exchange.outputs->texts.clear();
  for (const auto& choice : answer.choices) collect(exchange, choice.index, choice.text);
}

net::Task<Verdict> note_outputs(Worker& worker, Exchange& exchange) {
  auto* const index = worker.control.outputs();
  if (!index || !exchange.outputs || !is_models_answer(exchange)) co_return Verdict{};
  auto& own = *exchange.outputs;
  std::size_t bytes = 0;
  for (const auto& [choice, text] : own.texts) bytes += text.size();
  std::vector<provenance::Output> outputs;
  if (bytes > most_output_bytes / 4) {
    GH_STAGE(
        co_await beside_the_loop(worker, [&] { outputs = outputs_of(index->keys(), exchange); }));
  } else {
    outputs = outputs_of(index->keys(), exchange);
  }
  own.texts.clear();
  if (outputs.empty()) co_return Verdict{};
  own.durable = std::make_shared<net::Completion<Result<void>>>(worker.loop);
  const auto together = std::make_shared<Together>(outputs.size(), own.durable);
  for (auto& output : outputs) {
    auto encoded = provenance::encode(output);
    own.noted.push_back({output.choice, output.fingerprint.words, provenance::digest_of(encoded)});
    auto taken = index->add(std::move(output), std::move(encoded),
                            [together](const Result<void>& done) { together->settle(done); });
    if (taken) continue;
    own.noted.pop_back();
    own.missed = true;
    together->settle(taken);
  }
  co_return Verdict{};
}

void write_outputs(JsonWriter& writer, const Exchange& exchange) {
  if (!exchange.outputs) return;
  const auto& own = *exchange.outputs;
  if (own.noted.empty() && !own.missed) return;
  writer.key("provenance").begin_object().key("outputs").begin_array();
  for (const auto& one : own.noted) {
    writer.begin_object().key("choice").number(one.choice).key("words").number(one.words);
    writer.key("fingerprint").string(one.digest).end_object();
  }
  writer.end_array();
  if (own.missed) writer.key("missed").boolean(true);
  writer.end_object();
}

net::Task<void> settle_outputs(Worker& worker, Exchange& exchange) {
  if (!exchange.outputs || !exchange.outputs->durable) co_return;
  if (exchange.snapshot->config->audit == AuditMode::relaxed) co_return;
  const auto durable = exchange.outputs->durable;
  const auto noted = co_await durable->wait();
  if (noted) co_return;
  worker.metrics.count_output_failure();
  log_error("an answer cannot be found again",
            {{"entry", exchange.id}, {"error", noted.error().describe()}});
}

bool is_models_answer(const Exchange& exchange) {
  return says_something(exchange) && exchange.answer_bytes > 0 && exchange.status >= 200 &&
         exchange.status < 300;
}

Label label_of_answer(const Exchange& exchange) {
  auto label = join(exchange.label, label_of_findings(exchange.answer_findings.by_category));
  label.origin = Origin::ai;
  return label;
}

}  // namespace gatehouse::gateway
