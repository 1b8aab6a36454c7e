// See spiffe.h.
#include "identity/spiffe.h"

#include <algorithm>

#include "base/text.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t max_id_bytes = 2'048;
constexpr std::size_t max_trust_domain_bytes = 255;
constexpr std::string_view scheme = "spiffe://";

bool is_lower(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::ranges::all_of(segment, [](char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); });
}

bool is_below(std::string_view path, std::string_view root) {
  while (root.ends_with('/')) root.remove_suffix(1);
  return path == root ||
         (path.starts_with(root) && path.size() > root.size() && path[root.size()] == '/');
}

}  // namespace

Result<SpiffeId> parse_spiffe_id(std::string_view text) {
  const auto refuse = [](const char* why) {
    return fail(ErrorCode::invalid_argument, std::string("not a SPIFFE id: ") + why);
  };
  if (text.size() > max_id_bytes) return refuse("longer than 2048 bytes");
  if (!text.starts_with(scheme)) return refuse("it begins with spiffe://");
  const std::string_view rest = text.substr(scheme.size());
  const std::string_view domain = rest.substr(0, rest.find('/'));
  if (domain.empty() || domain.size() > max_trust_domain_bytes ||
      !std::ranges::all_of(domain, is_lower))
    return refuse("the trust domain has 1 to 255 of a-z, 0-9, '.', '-' and '_'");
  const std::string_view path = rest.substr(domain.size());
  if (!path.empty() && !std::ranges::all_of(split(path.substr(1), '/'), is_segment))
    return refuse("a path is of segments of letters, digits, '.', '-' and '_'");
  return SpiffeId{std::string(domain), std::string(path)};
}

Principal workload(const SpiffeId& id, const std::vector<std::string>& agent_paths,
                   CredentialKind credential) {
  Principal principal;
  const bool agent = std::ranges::any_of(
      agent_paths, [&](const std::string& root) { return is_below(id.path, root); });
  principal.kind = agent ? PrincipalKind::agent : PrincipalKind::service;
  principal.id = std::string(scheme) + id.trust_domain + id.path;
  principal.credential = credential;
  return principal;
}

}  // namespace gatehouse::identity
