#include "witness/client.h"

#include <fmt/core.h>

#include "base/text.h"
#include "ledger/witness_protocol.h"

namespace gatehouse::witness {

namespace {

// The first attempt, one from the size the witness named, one more if somebody came in between.
constexpr int max_attempts = 3;
constexpr std::size_t max_shown_bytes = 200;

struct Answer {
  int status = 0;
  std::string body;
};

net::Task<Result<Answer>> ask(net::ClientPool& pool, const net::Endpoint& endpoint,
                              net::RequestHead head, std::string body, net::CancelSource& cancel) {
  GH_CO_ASSIGN(const auto stream, co_await pool.request(endpoint, head, body, &cancel));
  Answer answer{.status = stream->head().status, .body = {}};
  GH_CO_ASSIGN(answer.body, co_await stream->read_all(ledger::max_note_bytes));
  co_return answer;
}

net::Task<Result<Answer>> post_checkpoint(net::ClientPool& pool, const WitnessPeer& peer,
                                          std::string body, net::CancelSource& cancel) {
  net::RequestHead head{.method = "POST", .target = "/add-checkpoint", .fields = {}};
  head.fields.add("Content-Type", "text/plain; charset=utf-8");
  return ask(pool, peer.endpoint, std::move(head), std::move(body), cancel);
}

// What a stranger wrote, cut and without control characters.
std::string shown(const Answer& answer) {
  const auto text = printable(trim(utf8_prefix(answer.body, max_shown_bytes)));
  return fmt::format("status {}{}{}", answer.status, text.empty() ? "" : ": ", text);
}

// The cosignature that is to be in a 200.
void take_cosignature(Submission& out, const Answer& answer, const WitnessPeer& peer,
                      const LogView& log) {
  out.outcome = Outcome::refused;
  auto signatures = ledger::parse_note_signatures(answer.body);
  auto note = ledger::parse_note(log.note());
  if (!signatures || !note) {
    out.detail = "the answer is not a list of signatures: " + signatures.error().message;
    return;
  }
  for (ledger::NoteSignature& signature : *signatures) {
    if (signature.name != peer.key.name || signature.key_id != peer.key.id) continue;
    note->signatures = {signature};
    const auto held = ledger::verify_cosignatures(*note, std::span(&peer.key, 1));
    if (!held) {
      out.detail = held.error().message;
      return;
    }
    out.outcome = Outcome::cosigned;
    out.cosignature = std::move(signature);
    out.time = held->front().time;
    return;
  }
  out.detail =
      "the answer has no cosignature by the key that the policy names, " + to_string(peer.key);
}

// The witness' own checkpoint of this log, if it shows one that the log's key has signed.
net::Task<void> fetch_evidence(net::ClientPool& pool, const WitnessPeer& peer, const LogView& log,
                               net::CancelSource& cancel, Submission& out) {
  net::RequestHead head{
      .method = "GET",
      .target = "/" + ledger::origin_hash(log.checkpoint().origin) + "/checkpoint",
      .fields = {}};
  auto answer = co_await ask(pool, peer.endpoint, std::move(head), {}, cancel);
  if (!answer || answer->status != 200) co_return;
  const auto opened = ledger::open_checkpoint(answer->body, log.log());
  if (!opened) co_return;
  out.their_size = opened->checkpoint.size;
  out.their_root = opened->checkpoint.root;
  out.evidence = std::move(answer->body);
}

// After a 422, or a size that is larger than ours: what do we know now?
void judge(Submission& out, const LogView& log, std::uint64_t claimed) {
  const std::uint64_t size = out.their_size.value_or(claimed);
  out.their_size = size;
  if (size > log.checkpoint().size) {
    out.outcome = Outcome::rolled_back;
    out.detail = fmt::format("the witness knows {} entries of this log, the log has {}", size,
                             log.checkpoint().size);
    return;
  }
  const auto ours = log.root_at(size);
  if (!ours) {
    out.outcome = Outcome::unreachable;
    out.detail = "our own tiles cannot be read: " + ours.error().describe();
    return;
  }
  out.our_root_there = *ours;
  if (out.their_root && *out.their_root == *ours) {
    out.outcome = Outcome::refused;
    out.detail = fmt::format(
        "the witness refuses a proof from {} entries, for which it has the same root as the log",
        size);
    return;
  }
  out.outcome = Outcome::forked;
  out.detail = fmt::format("the witness holds another root for {} entries than the log", size);
  if (!out.their_root) out.detail += "; it did not show the checkpoint";
}

// A status that ends the conversation.
void judge_status(Submission& out, const Answer& answer) {
  const bool later = answer.status >= 500 || answer.status == 429 || answer.status == 408;
  out.outcome = later ? Outcome::unreachable : Outcome::refused;
  out.detail = shown(answer);
  if (answer.status == 404) out.detail += " (404: it does not know this log)";
  if (answer.status == 403) out.detail += " (403: it trusts another key for this log)";
}

}  // namespace

std::string_view incident_kind(Outcome outcome) {
  switch (outcome) {
    case Outcome::rolled_back:
      return "log.rolled_back";
    case Outcome::forked:
      return "log.forked";
    case Outcome::refused:
      return "witness.refused";
    default:
      return {};
  }
}

net::Task<Submission> submit(net::ClientPool& pool, const WitnessPeer& peer, const LogView& log,
                             std::uint64_t known, net::CancelSource& cancel) {
  Submission out;
  const std::uint64_t size = log.checkpoint().size;
  if (known > size) known = 0;  // then the witness names its size itself
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    auto proof = log.prove(known);
    if (!proof) {
      out.detail = "our own tiles cannot be read: " + proof.error().describe();
      co_return out;
    }
    std::string body = to_string(ledger::AddCheckpointRequest{
        .old_size = known, .proof = std::move(*proof), .checkpoint = log.note()});
    const auto answer = co_await post_checkpoint(pool, peer, std::move(body), cancel);
    if (!answer) {
      out.detail = answer.error().describe();
      co_return out;
    }
    out.status = answer->status;
    if (answer->status == 200) {
      take_cosignature(out, *answer, peer, log);
      co_return out;
    }
    if (answer->status == 422) {
      co_await fetch_evidence(pool, peer, log, cancel, out);
      judge(out, log, known);
      co_return out;
    }
    if (answer->status != 409) {
      judge_status(out, *answer);
      co_return out;
    }
    const auto named = ledger::parse_known_size(answer->body);
    if (!named || *named == known) {
      out.outcome = Outcome::refused;
      out.detail = "a conflict without a size to go on from, " + shown(*answer);
      co_return out;
    }
    if (*named > size) {
      co_await fetch_evidence(pool, peer, log, cancel, out);
      judge(out, log, *named);
      co_return out;
    }
    known = *named;
  }
  out.detail = "the witness named a new size at each attempt; another gateway may be submitting";
  co_return out;
}

}  // namespace gatehouse::witness
