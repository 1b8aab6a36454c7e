// Signed links: one person may decide one approval by them, once, until they end. Whoever has the
// link is taken for that person, so it goes where only they read. Pure.
//
//   base64url(JSON {"a": approval, "d": digest of the call, "e": seconds since 1970, "n": its id,
//   "p": "user:bob"}) "." base64url(HMAC-SHA-256 of that text)
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace gatehouse::approval {

struct Link {
  std::string approval;
  std::string digest;
  std::string principal;
  std::string id;  // random: a link is used once
  WallTime expires;
};

inline constexpr std::size_t longest_link = 4'096;

// The key of links, from that of approvals.
crypto::Digest link_key(const crypto::Digest& approvals_key);

std::string make_link(const crypto::Digest& key, Link link, Random& random);
// Errors (unauthenticated): not one of ours, or over. One message for all that is not ours.
Result<Link> read_link(const crypto::Digest& key, std::string_view text, WallTime now);

}  // namespace gatehouse::approval
