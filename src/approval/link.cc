// See link.h.
#include "approval/link.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "identity/jose.h"

namespace gatehouse::approval {
namespace {

using nlohmann::json;

std::string tag_of(const crypto::Digest& key, std::string_view payload) {
  return to_base64url(crypto::hmac_sha256(key, bytes_of(payload)));
}

std::unexpected<Error> refuse() {
  return fail(ErrorCode::unauthenticated, "this is not a link of this gateway");
}

}  // namespace

crypto::Digest link_key(const crypto::Digest& approvals_key) {
  return crypto::derive_key(approvals_key, "gatehouse/approval-links/v1");
}

std::string make_link(const crypto::Digest& key, Link link, Random& random) {
  std::array<std::byte, 12> id{};
  random.fill(id);
  const auto end = std::chrono::floor<std::chrono::seconds>(link.expires).time_since_epoch();
  const std::string text = json{
      {"a", link.approval},
      {"d", link.digest},
      {"e", end.count()},
      {"n", to_hex(id)},
      {"p", link.principal}}.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::string payload = to_base64url(bytes_of(text));
  return payload + '.' + tag_of(key, payload);
}

Result<Link> read_link(const crypto::Digest& key, std::string_view text, WallTime now) {
  const auto dot = text.find('.');
  if (text.size() > longest_link || dot == std::string_view::npos) return refuse();
  const auto payload = text.substr(0, dot);
  // Nothing of it is looked at before it is known to be ours.
  if (!crypto::equal_constant_time(bytes_of(text.substr(dot + 1)), bytes_of(tag_of(key, payload))))
    return refuse();
  const auto decoded = from_base64url(payload);
  if (!decoded) return refuse();
  const auto parsed = json::parse(*decoded, nullptr, false);
  if (!parsed.is_object()) return refuse();
  for (const char* name : {"a", "d", "n", "p"})
    if (!parsed.contains(name) || !parsed[name].is_string()) return refuse();
  constexpr std::uint64_t latest = 253'402'300'799;  // the year 9999
  if (!parsed.contains("e") || !parsed["e"].is_number_unsigned() ||
      parsed["e"].get<std::uint64_t>() > latest)
    return refuse();
  Link link{parsed["a"], parsed["d"], parsed["p"], parsed["n"],
            WallTime(std::chrono::seconds(parsed["e"].get<std::int64_t>()))};
  if (now >= link.expires) return fail(ErrorCode::unauthenticated, "this link is over");
  return link;
}

}  // namespace gatehouse::approval
