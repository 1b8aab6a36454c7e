// Who asks, whatever showed it: an API key, a token, a certificate, a delegation. Plain values;
// no threads, no ownership.
//
// A delegation is a chain. The principal is whoever acts now; `chain` is whom it acts for, nearest
// first, so that the last of it is where the authority comes from. What a hop may do is what the
// hop before it may do, narrowed: `scope` is the intersection over the whole chain, and policies
// are asked about each of the chain, with its own groups and attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::identity {

enum class PrincipalKind : std::uint8_t { user, service, agent, model };
std::string_view to_string(PrincipalKind kind);
Result<PrincipalKind> parse_principal_kind(std::string_view text);

// What showed who it is.
enum class CredentialKind : std::uint8_t {
  api_key,
  access_token,    // a JWT of an issuer that is trusted (RFC 9068)
  certificate,     // mutual TLS: an X.509-SVID or a subject (RFC 8705)
  workload_token,  // a JWT-SVID
  delegation,      // a token this gateway or a holder of one minted
};
std::string_view to_string(CredentialKind kind);
Result<CredentialKind> parse_credential_kind(std::string_view text);

struct Actor {
  PrincipalKind kind = PrincipalKind::user;
  std::string id;
  std::vector<std::pair<std::string, std::string>> attributes{};  // sorted by name
  std::vector<std::string> groups{};                              // sorted
  friend auto operator<=>(const Actor&, const Actor&) = default;
};

// What delegation left of what a principal may do. A member that is absent narrows nothing; an
// empty list allows nothing.
struct Scope {
  std::optional<std::vector<std::string>> models{};  // names, sorted
  std::optional<std::vector<std::string>> tools{};   // "SERVER/TOOL", sorted
  std::optional<std::int64_t> clearance{};           // of what it may see: 0 public … 3 restricted
  std::optional<std::int64_t> budget_micros{};  // millionths of the currency, for its whole life
  // Each of the hops that set a budget, nearest to the root first: what is spent counts against all
  // of them, and none may be overdrawn. budget_micros is the smallest.
  struct Budget {
    std::string id{};  // of the block that set it
    std::int64_t micros = 0;
    friend bool operator==(const Budget&, const Budget&) = default;
  };
  std::vector<Budget> budgets{};
  std::optional<WallTime> expires{};
  friend bool operator==(const Scope&, const Scope&) = default;
};

struct Principal {
  PrincipalKind kind = PrincipalKind::user;
  std::string id{};
  std::vector<std::pair<std::string, std::string>> attributes{};  // sorted by name
  std::string key_prefix{};           // which key spoke; of a token, what may be shown of it
  std::vector<std::string> groups{};  // sorted
  CredentialKind credential = CredentialKind::api_key;
  std::vector<Actor> chain{};  // whom it acts for, nearest first; empty: for itself
  Scope scope{};
  // The attributes are not those of an API key's record, so that an event has to name them.
  bool described = false;
};

}  // namespace gatehouse::identity
