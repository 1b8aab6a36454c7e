#include "ledger/cosignature.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::uint64_t latest_time = std::numeric_limits<std::int64_t>::max();

std::string big_endian(std::uint64_t value) {
  std::string out(time_bytes, '\0');
  for (std::size_t i = 0; i < time_bytes; ++i) {
    out[time_bytes - 1 - i] = static_cast<char>((value >> (8 * i)) & 0xff);
  }
  return out;
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return value;
}

std::string cosigned_message(std::string_view note_text, std::uint64_t time) {
  return fmt::format("cosignature/v1\ntime {}\n{}", time, note_text);
}

// The time of a cosignature that holds.
std::optional<std::uint64_t> time_of(const NoteSignature& signature, std::string_view note_text,
                                     const CosignerKey& cosigner) {
  crypto::Signature bytes;
  if (signature.signature.size() != time_bytes + bytes.size()) return std::nullopt;
  const std::uint64_t time =
      read_big_endian(std::string_view(signature.signature).substr(0, time_bytes));
  if (time == 0 || time > latest_time) return std::nullopt;
  std::memcpy(bytes.data(), signature.signature.data() + time_bytes, bytes.size());
  const std::string message = cosigned_message(note_text, time);
  if (!crypto::verify(cosigner.key, bytes_of(message), bytes)) return std::nullopt;
  return time;
}

}  // namespace

CosignerKey make_cosigner_key(std::string_view name, const crypto::PublicKey& key) {
  return {.name = std::string(name),
          .id = make_key_id(name, signature_type_cosignature, text_of(key)),
          .key = key};
}

Result<CosignerKey> parse_cosigner_key(std::string_view text) {
  GH_ASSIGN(const AnyVerifierKey any, parse_any_verifier_key(text));
  if (any.type != signature_type_cosignature) {
    return fail(ErrorCode::invalid_argument,
                "the key is not one for Ed25519 cosignatures (type 0x04)");
  }
  CosignerKey out{.name = any.name, .id = any.id};
  if (any.key.size() != out.key.size()) {
    return fail(ErrorCode::invalid_argument, "the witness' key does not hold 32 bytes");
  }
  std::memcpy(out.key.data(), any.key.data(), out.key.size());
  return out;
}

std::string to_string(const CosignerKey& key) {
  return to_string(AnyVerifierKey{.name = key.name,
                                  .id = key.id,
                                  .type = signature_type_cosignature,
                                  .key = std::string(text_of(key.key))});
}

NoteSignature cosign(std::string_view note_text, std::uint64_t time, const CosignerKey& as,
                     const crypto::SigningKey& key) {
  GH_CHECK(time > 0 && time <= latest_time);
  const crypto::Signature signature = key.sign(bytes_of(cosigned_message(note_text, time)));
  return {.name = as.name,
          .key_id = as.id,
          .signature = big_endian(time) + std::string(text_of(signature))};
}

Result<std::vector<HeldCosignature>> verify_cosignatures(const Note& note,
                                                         std::span<const CosignerKey> cosigners) {
  std::vector<HeldCosignature> held;
  for (const NoteSignature& signature : note.signatures) {
    const auto cosigner = std::ranges::find_if(cosigners, [&](const CosignerKey& candidate) {
      return candidate.name == signature.name && candidate.id == signature.key_id;
    });
    if (cosigner == cosigners.end()) continue;
    const auto time = time_of(signature, note.text, *cosigner);
    if (!time) {
      return fail(ErrorCode::permission_denied,
                  fmt::format("the cosignature by {} does not hold", signature.name));
    }
    const auto at = static_cast<std::size_t>(cosigner - cosigners.begin());
    const bool again = std::ranges::any_of(
        held, [&](const HeldCosignature& other) { return other.cosigner == at; });
    if (!again) held.push_back({.cosigner = at, .time = *time});
  }
  return held;
}

}  // namespace gatehouse::ledger
