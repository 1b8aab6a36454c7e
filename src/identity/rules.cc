#include "identity/rules.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_attributes = 64;
constexpr std::size_t max_attribute_name = 64;
constexpr std::size_t max_attribute_value = 1024;

bool is_base62(char c) {
  return base62.find(c) != std::string_view::npos;
}

std::string random_base62(Random& random, std::size_t count) {
  // The largest multiple of 62 below 256: beyond it some letters would come more often.
  constexpr unsigned fair_limit = 248;
  std::string out;
  while (out.size() < count) {
    std::byte drawn[16];
    random.fill(drawn);
    for (const std::byte byte : drawn) {
      const auto value = std::to_integer<unsigned>(byte);
      if (value < fair_limit && out.size() < count) out += base62[value % base62.size()];
    }
  }
  return out;
}

// ASCII controls, and the characters of Unicode that are invisible or turn the direction of the
// text around them: two names must not look the same in a log or a console.
bool has_invisible(std::string_view text) {
  const bool control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
  if (control) return true;
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const auto byte = [&](std::size_t i) {
      return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    if (byte(0) == 0xc2 && byte(1) < 0xa0) return true;  // U+0080 to U+009F
    if (byte(0) == 0xe2 && byte(1) == 0x80 &&
        ((byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae)))
      return true;  // U+200B to U+200F, U+2028 to U+202E
    if (byte(0) == 0xe2 && byte(1) == 0x81 && byte(2) >= 0xa0 && byte(2) <= 0xaf)
      return true;                                                           // U+2060 to U+206F
    if (byte(0) == 0xef && byte(1) == 0xbb && byte(2) == 0xbf) return true;  // U+FEFF
  }
  return false;
}

bool is_attribute_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= max_attribute_name && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

bool has_key_shape(std::string_view text) {
  return text.size() == key_length && text.starts_with("gh_") && text[prefix_length] == '_' &&
         std::ranges::all_of(text.substr(3, prefix_length - 3), is_base62) &&
         std::ranges::all_of(text.substr(prefix_length + 1), is_base62);
}

std::string generate_key(Random& random) {
  return "gh_" + random_base62(random, prefix_length - 3) + "_" +
         random_base62(random, key_length - prefix_length - 1);
}

Result<void> check_printable(std::string_view text, std::size_t limit, std::string_view what) {
  const auto refuse = [what](const std::string& why) {
    return fail(ErrorCode::invalid_argument, std::string(what) + " " + why);
  };
  if (text.empty()) return refuse("must not be empty");
  if (text.size() > limit) return refuse("is longer than " + std::to_string(limit) + " bytes");
  if (!is_utf8(text)) return refuse("is not well-formed UTF-8");
  if (has_invisible(text)) return refuse("has a control or invisible character");
  if (trim(text) != text) return refuse("begins or ends with a space");
  return {};
}

std::string_view to_string(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::user:
      return "user";
    case PrincipalKind::service:
      return "service";
    case PrincipalKind::agent:
      return "agent";
    case PrincipalKind::model:
      return "model";
  }
  return "user";
}

std::string_view to_string(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::api_key:
      return "api_key";
    case CredentialKind::access_token:
      return "access_token";
    case CredentialKind::certificate:
      return "certificate";
    case CredentialKind::workload_token:
      return "workload_token";
    case CredentialKind::delegation:
      return "delegation";
  }
  return "api_key";
}

Result<CredentialKind> parse_credential_kind(std::string_view text) {
  for (const auto kind :
       {CredentialKind::api_key, CredentialKind::access_token, CredentialKind::certificate,
        CredentialKind::workload_token, CredentialKind::delegation})
    if (text == to_string(kind)) return kind;
  return fail(ErrorCode::invalid_argument, "an unknown kind of credential");
}

Result<PrincipalKind> parse_principal_kind(std::string_view text) {
  for (const auto kind :
       {PrincipalKind::user, PrincipalKind::service, PrincipalKind::agent, PrincipalKind::model})
    if (text == to_string(kind)) return kind;
  return fail(ErrorCode::invalid_argument,
              "the kind of a principal is one of: user, service, agent, model");
}

Result<std::pair<PrincipalKind, std::string>> parse_principal(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    return fail(ErrorCode::invalid_argument,
                "a principal is written KIND:ID, for example user:ada, service:ci, agent:helper");
  GH_ASSIGN(const PrincipalKind kind, parse_principal_kind(text.substr(0, colon)));
  const std::string_view id = text.substr(colon + 1);
  GH_TRY(check_printable(id, max_name_bytes, "the id of a principal"));
  return std::pair(kind, std::string(id));
}

Result<Attributes> check_attributes(Attributes attributes) {
  if (attributes.size() > max_attributes)
    return fail(ErrorCode::invalid_argument, "at most 64 attributes");
  std::ranges::sort(attributes);
  const std::string* before = nullptr;
  for (const auto& [name, value] : attributes) {
    if (!is_attribute_name(name))
      return fail(ErrorCode::invalid_argument,
                  "the name of an attribute has 1 to 64 letters, digits or underscores and does "
                  "not begin with a digit");
    if (before != nullptr && *before == name)
      return fail(ErrorCode::invalid_argument, "the attribute '" + name + "' is given twice");
    if (name == "key_prefix")
      return fail(ErrorCode::invalid_argument, "'key_prefix' is the gateway's own attribute");
    GH_TRY(check_printable(value, max_attribute_value, "the attribute '" + name + "'"));
    before = &name;
  }
  return attributes;
}

}  // namespace gatehouse::identity
