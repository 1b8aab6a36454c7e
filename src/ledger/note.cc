#include "ledger/note.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace gatehouse::ledger {

namespace {

constexpr std::string_view signature_prefix = "\xE2\x80\x94 ";  // em dash, space

Error malformed(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message), {}};
}

std::string big_endian(std::uint32_t value) {
  std::string out(4, '\0');
  for (int i = 0; i < 4; ++i) out[i] = static_cast<char>((value >> (24 - 8 * i)) & 0xff);
  return out;
}

std::uint32_t read_big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Types whose key id signed-note and tlog-cosignature define by name, type and key.
bool has_hashed_id(std::uint8_t type) {
  return type == signature_type_ed25519 || type == signature_type_cosignature ||
         type == signature_type_ml_dsa_cosignature;
}

// The white space of Unicode outside ASCII, as UTF-8.
constexpr std::array<std::string_view, 19> unicode_spaces{
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(signature_prefix)) {
    return std::unexpected(
        malformed("a signature line does not begin with an em dash and a space"));
  }
  line.remove_prefix(signature_prefix.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) {
    return std::unexpected(malformed("a signature line has no key name or no signature"));
  }
  NoteSignature signature;
  signature.name = line.substr(0, space);
  GH_TRY(check_key_name(signature.name));
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5) {
    return std::unexpected(malformed("a signature is not base64 of a key id and a signature"));
  }
  signature.key_id = read_big_endian(*bytes);
  signature.signature = bytes->substr(4);
  return signature;
}

bool holds(const NoteSignature& signature, std::string_view text, const VerifierKey& key) {
  crypto::Signature bytes;
  if (signature.signature.size() != bytes.size()) return false;
  std::memcpy(bytes.data(), signature.signature.data(), bytes.size());
  return crypto::verify(key.key, bytes_of(text), bytes);
}

}  // namespace

Result<void> check_key_name(std::string_view name) {
  if (name.empty() || name.size() > max_key_name_bytes) {
    return std::unexpected(malformed("a key name has 1 to 255 bytes"));
  }
  if (!is_utf8(name)) return std::unexpected(malformed("a key name is UTF-8"));
  const bool bad_ascii = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '+' || c == 0x7f; });
  const bool bad_space = std::ranges::any_of(
      unicode_spaces, [&](std::string_view space) { return name.contains(space); });
  if (bad_ascii || bad_space) {
    return std::unexpected(malformed("a key name has no white space, control character or '+'"));
  }
  return {};
}

std::uint32_t make_key_id(std::string_view name, std::uint8_t type, std::string_view key) {
  std::string input(name);
  input += '\n';
  input += static_cast<char>(type);
  input += key;
  return read_big_endian(text_of(crypto::sha256(bytes_of(input))));
}

VerifierKey make_verifier_key(std::string_view name, const crypto::PublicKey& key) {
  return {.name = std::string(name),
          .id = make_key_id(name, signature_type_ed25519, text_of(key)),
          .key = key};
}

Result<AnyVerifierKey> parse_any_verifier_key(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return std::unexpected(malformed("a verifier key is written name+keyid+base64"));
  }
  AnyVerifierKey out;
  out.name = text.substr(0, first);
  GH_TRY(check_key_name(out.name));
  const auto bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->empty()) {
    return std::unexpected(malformed("the key part of the verifier key is not base64"));
  }
  out.type = static_cast<std::uint8_t>(bytes->front());
  out.key = bytes->substr(1);
  const std::string_view written_id = text.substr(first + 1, second - first - 1);
  const auto id = from_hex(written_id);
  if (!id || id->size() != 4 || to_hex(bytes_of(*id)) != written_id) {
    return std::unexpected(malformed("the key id is not 8 lower-case hexadecimal digits"));
  }
  out.id = read_big_endian(*id);
  if (has_hashed_id(out.type) && out.id != make_key_id(out.name, out.type, out.key)) {
    return std::unexpected(malformed("the key id does not belong to the name and the key"));
  }
  return out;
}

std::string to_string(const AnyVerifierKey& key) {
  const std::string bytes = static_cast<char>(key.type) + key.key;
  return key.name + '+' + to_hex(bytes_of(big_endian(key.id))) + '+' + to_base64(bytes_of(bytes));
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  GH_ASSIGN(const AnyVerifierKey any, parse_any_verifier_key(text));
  if (any.type != signature_type_ed25519) {
    return std::unexpected(malformed("the verifier key is not an Ed25519 key (type 0x01)"));
  }
  crypto::PublicKey key;
  if (any.key.size() != key.size()) {
    return std::unexpected(malformed("the verifier key does not hold 32 bytes"));
  }
  std::memcpy(key.data(), any.key.data(), key.size());
  return VerifierKey{.name = any.name, .id = any.id, .key = key};
}

std::string to_string(const VerifierKey& key) {
  return to_string(AnyVerifierKey{.name = key.name,
                                  .id = key.id,
                                  .type = signature_type_ed25519,
                                  .key = std::string(text_of(key.key))});
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > max_note_bytes) return std::unexpected(malformed("the note is too long"));
  if (!is_utf8(bytes) || has_control_character(bytes)) {
    return std::unexpected(malformed("the note is not plain UTF-8 text"));
  }
  const std::size_t blank = bytes.rfind("\n\n");
  if (blank == std::string_view::npos || !bytes.ends_with('\n')) {
    return std::unexpected(malformed("the note has no signature part"));
  }
  Note note;
  note.text = bytes.substr(0, blank + 1);
  GH_ASSIGN(note.signatures, parse_note_signatures(bytes.substr(blank + 2)));
  return note;
}

Result<std::vector<NoteSignature>> parse_note_signatures(std::string_view lines) {
  if (lines.size() > max_note_bytes) {
    return std::unexpected(malformed("the signatures are too long"));
  }
  std::vector<NoteSignature> signatures;
  while (!lines.empty()) {
    if (signatures.size() == max_note_signatures) {
      return std::unexpected(malformed("the note has too many signatures"));
    }
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) {
      return std::unexpected(malformed("a signature line does not end in a newline"));
    }
    GH_ASSIGN(auto signature, parse_signature(lines.substr(0, end)));
    signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  if (signatures.empty()) return std::unexpected(malformed("the note is not signed"));
  return signatures;
}

std::string to_string(const NoteSignature& signature) {
  const std::string bytes = big_endian(signature.key_id) + signature.signature;
  std::string out(signature_prefix);
  return out + signature.name + ' ' + to_base64(bytes_of(bytes)) + '\n';
}

std::string to_string(const Note& note) {
  std::string out = note.text + '\n';
  for (const NoteSignature& signature : note.signatures) out += to_string(signature);
  return out;
}

NoteSignature sign_note(std::string_view text, const VerifierKey& as,
                        const crypto::SigningKey& key) {
  const crypto::Signature signature = key.sign(bytes_of(text));
  return {.name = as.name, .key_id = as.id, .signature = std::string(text_of(signature))};
}

Result<std::size_t> verify_note(const Note& note, std::span<const VerifierKey> keys) {
  std::size_t unknown = 0;
  for (const NoteSignature& signature : note.signatures) {
    const auto key = std::ranges::find_if(keys, [&](const VerifierKey& candidate) {
      return candidate.name == signature.name && candidate.id == signature.key_id;
    });
    if (key == keys.end()) {
      ++unknown;
    } else if (!holds(signature, note.text, *key)) {
      return fail(ErrorCode::permission_denied,
                  fmt::format("the signature by {} does not hold", signature.name));
    }
  }
  if (unknown == note.signatures.size()) {
    return fail(ErrorCode::permission_denied, "no signature by a key that is known here");
  }
  return unknown;
}

}  // namespace gatehouse::ledger
