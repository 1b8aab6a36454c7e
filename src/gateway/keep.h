// Keep: what a call said goes into the vault, where policy or configuration say so, before the
// event that refers to it. In strict mode a call waits until it is durable; what cannot be kept is
// not let through. On the worker's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config_vault.h"
#include "gateway/exchange.h"
#include "gateway/stages.h"
#include "vault/vault.h"

namespace gatehouse::gateway {

// What is known of one call whose content is kept, or may yet be.
struct Keeping {
  LogContent level = LogContent::none;
  vault::RecordId id{};
  vault::RecordSecrets request;
  vault::RecordSecrets answer;
  std::vector<vault::SubjectHash> subjects;  // found in the request
  bool request_kept = false;
  bool answer_kept = false;
  bool answer_tried = false;
  std::string answer_text;             // as the client gets it, up to limits.answer_bytes
  crypto::Sha256Stream answer_digest;  // of the vault's salt and all of the answer
  std::string streamed;                // what clients put together from a stream, for subjects
};

// Decides whether this call's content is kept and keeps the request.
net::Task<Verdict> keep_request(Worker& worker, Exchange& exchange);
// Notes bytes of the answer; before they are sent.
void keep_answer_bytes(Exchange& exchange, std::string_view bytes);
// Keeps the answer, when it is to be kept.
net::Task<Verdict> keep_answer(Worker& worker, Exchange& exchange);

}  // namespace gatehouse::gateway
