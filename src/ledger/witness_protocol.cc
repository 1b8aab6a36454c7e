#include "ledger/witness_protocol.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

Error malformed(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

std::optional<std::uint64_t> plain_decimal(std::string_view text) {
  const auto number = parse_uint(text);
  if (!number || *number > max_tree_size || std::to_string(*number) != text) return std::nullopt;
  return number;
}

Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::unexpected(malformed("the request is cut short"));
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<Digest> parse_hash(std::string_view line) {
  const auto bytes = from_base64(line);
  Digest hash;
  if (!bytes || bytes->size() != hash.size()) {
    return std::unexpected(malformed("a proof line is not base64 of 32 bytes"));
  }
  std::memcpy(hash.data(), bytes->data(), hash.size());
  return hash;
}

// The signatures of the note that are by these keys.
std::vector<NoteSignature> signatures_by(const Note& note, std::span<const VerifierKey> keys) {
  std::vector<NoteSignature> out;
  for (const NoteSignature& signature : note.signatures) {
    const bool known = std::ranges::any_of(keys, [&](const VerifierKey& key) {
      return key.name == signature.name && key.id == signature.key_id;
    });
    if (known) out.push_back(signature);
  }
  return out;
}

struct Refused {
  int status = 0;
  std::string reason;
};

// Empty when the checkpoint follows from `latest`.
std::optional<Refused> refuse_inconsistent(const AddCheckpointRequest& request,
                                           const Checkpoint& checkpoint,
                                           const WitnessedHead& latest) {
  if (request.old_size > checkpoint.size) {
    return Refused{400, fmt::format("the old size {} is larger than the checkpoint's size {}",
                                    request.old_size, checkpoint.size)};
  }
  if (request.old_size != latest.size) {
    return Refused{409, fmt::format("the last cosigned checkpoint has size {}, not {}", latest.size,
                                    request.old_size)};
  }
  if (checkpoint.size == 0 && checkpoint.root != empty_root()) {
    return Refused{422, "a checkpoint of size 0 does not have the root of the empty tree"};
  }
  if (request.old_size == 0) {
    if (request.proof.empty()) return std::nullopt;
    return Refused{422, "from size 0 there is nothing to prove; the proof must be empty"};
  }
  if (checkpoint.size == latest.size && checkpoint.root != latest.root) {
    return Refused{422, fmt::format("another root was cosigned for size {}", latest.size)};
  }
  const auto consistent =
      check_consistency(latest.size, checkpoint.size, latest.root, checkpoint.root, request.proof);
  if (consistent) return std::nullopt;
  return Refused{422, consistent.error().message};
}

}  // namespace

Result<AddCheckpointRequest> parse_add_checkpoint(std::string_view body) {
  if (body.size() > max_add_checkpoint_bytes) {
    return std::unexpected(malformed("the request is too long"));
  }
  AddCheckpointRequest request;
  GH_ASSIGN(std::string_view line, take_line(body));
  const auto old_size = line.starts_with("old ") ? plain_decimal(line.substr(4)) : std::nullopt;
  if (!old_size) {
    return std::unexpected(malformed("the first line is not \"old\" and a plain decimal number"));
  }
  request.old_size = *old_size;
  while (true) {
    GH_ASSIGN(line, take_line(body));
    if (line.empty()) break;
    if (request.proof.size() == max_proof_hashes) {
      return std::unexpected(malformed("the proof has more than 63 lines"));
    }
    GH_ASSIGN(const Digest hash, parse_hash(line));
    request.proof.push_back(hash);
  }
  request.checkpoint = body;
  GH_ASSIGN(const Note note, parse_note(request.checkpoint));
  GH_TRY(parse_checkpoint(note.text));
  return request;
}

std::string to_string(const AddCheckpointRequest& request) {
  std::string out = fmt::format("old {}\n", request.old_size);
  for (const Digest& hash : request.proof) out += to_base64(hash) + '\n';
  out += '\n';
  return out + request.checkpoint;
}

Result<std::uint64_t> parse_known_size(std::string_view body) {
  const auto size = body.ends_with('\n') ? plain_decimal(body.substr(0, body.size() - 1))
                                         : std::optional<std::uint64_t>();
  if (size) return *size;
  return std::unexpected(malformed("the witness did not name the size it knows"));
}

std::string known_size_body(std::uint64_t size) {
  return std::to_string(size) + '\n';
}

std::string origin_hash(std::string_view origin) {
  return to_hex(crypto::sha256(bytes_of(origin)));
}

Result<std::string> origin_of(const AddCheckpointRequest& request) {
  GH_ASSIGN(const Note note, parse_note(request.checkpoint));
  GH_ASSIGN(auto checkpoint, parse_checkpoint(note.text));
  return std::move(checkpoint.origin);
}

WitnessVerdict judge_add_checkpoint(const AddCheckpointRequest& request,
                                    std::span<const VerifierKey> keys,
                                    const WitnessedHead& latest) {
  WitnessVerdict verdict;
  const auto refuse = [&](int status, std::string reason) {
    verdict.status = status;
    verdict.reason = std::move(reason);
    return verdict;
  };
  const auto note = parse_note(request.checkpoint);
  if (!note) return refuse(400, note.error().message);
  auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint) return refuse(400, checkpoint.error().message);
  verdict.checkpoint = std::move(*checkpoint);
  if (keys.empty()) return refuse(404, "this witness does not know the log");
  if (const auto signed_by_log = verify_note(*note, keys); !signed_by_log) {
    return refuse(403, signed_by_log.error().message);
  }
  verdict.log_signatures = signatures_by(*note, keys);
  if (auto refused = refuse_inconsistent(request, verdict.checkpoint, latest)) {
    return refuse(refused->status, std::move(refused->reason));
  }
  verdict.status = 200;
  return verdict;
}

}  // namespace gatehouse::ledger
