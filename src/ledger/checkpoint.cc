#include "ledger/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

Error malformed(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

// Takes one line, without its newline, off the front.
Result<std::string_view> take_line(std::string_view& text, std::string_view what) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::unexpected(malformed(fmt::format("the checkpoint has no {} line", what)));
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

Result<Checkpoint> parse_checkpoint(std::string_view note_text) {
  Checkpoint out;
  GH_ASSIGN(const std::string_view origin, take_line(note_text, "origin"));
  GH_ASSIGN(const std::string_view size, take_line(note_text, "size"));
  GH_ASSIGN(const std::string_view root, take_line(note_text, "root"));
  GH_TRY(check_key_name(origin));
  out.origin = origin;
  const auto number = parse_uint(size);
  if (!number || *number > max_tree_size || std::to_string(*number) != size) {
    return std::unexpected(malformed("the size of the checkpoint is not a plain decimal number"));
  }
  out.size = *number;
  const auto hash = from_base64(root);
  if (!hash || hash->size() != out.root.size()) {
    return std::unexpected(malformed("the root of the checkpoint is not base64 of 32 bytes"));
  }
  std::memcpy(out.root.data(), hash->data(), hash->size());
  out.extensions = note_text;
  if (!note_text.empty() &&
      (note_text.front() == '\n' || note_text.back() != '\n' || note_text.contains("\n\n"))) {
    return std::unexpected(malformed("the checkpoint has an empty extension line"));
  }
  return out;
}

std::string to_string(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n{}", checkpoint.origin, checkpoint.size,
                     to_base64(checkpoint.root), checkpoint.extensions);
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const VerifierKey& as,
                            const crypto::SigningKey& key) {
  Note note;
  note.text = to_string(checkpoint);
  note.signatures.push_back(sign_note(note.text, as, key));
  return to_string(note);
}

Result<SignedCheckpoint> open_checkpoint(std::string_view note_bytes, const VerifierKey& log) {
  GH_ASSIGN(const Note note, parse_note(note_bytes));
  GH_ASSIGN(const std::size_t unknown, verify_note(note, std::span(&log, 1)));
  GH_ASSIGN(auto checkpoint, parse_checkpoint(note.text));
  if (checkpoint.origin != log.name) {
    return fail(ErrorCode::permission_denied,
                fmt::format("the checkpoint is of the log {}, the key is of {}", checkpoint.origin,
                            log.name));
  }
  return SignedCheckpoint{.checkpoint = std::move(checkpoint), .unknown_signatures = unknown};
}

}  // namespace gatehouse::ledger
