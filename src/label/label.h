// What a piece of data is. Labels form a lattice under join: joining never loses a restriction.
//   confidentiality  max      public < internal < confidential < restricted
//   categories       union    e.g. personal, credentials, health
//   integrity        least trusted wins: trusted < unverified < untrusted
//   origin           equal stays, different becomes mixed
// The unit of join is Label::bottom(). Laws (label_test.cc): associative, commutative, idempotent,
// bottom is the identity, join is the least upper bound of `flows_to`.
// A value type; no threads, no ownership.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse {

enum class Confidentiality : std::uint8_t { public_, internal, confidential, restricted };
enum class Integrity : std::uint8_t { trusted, unverified, untrusted };
enum class Origin : std::uint8_t { none, human, ai, mixed };  // none: says nothing (bottom)

struct Label {
  Confidentiality confidentiality = Confidentiality::public_;
  std::set<std::string, std::less<>> categories;
  Integrity integrity = Integrity::trusted;
  Origin origin = Origin::none;

  static Label bottom() { return {}; }
  friend bool operator==(const Label&, const Label&) = default;
};

Label join(const Label& a, const Label& b);
// True when data labelled `from` may be stored where `to` is promised: join(from, to) == to.
bool flows_to(const Label& from, const Label& to);

// What a call is whose text has so many findings of each kind. The gateway labels calls with it,
// and policy tests those that give no label.
Label label_of_call(std::uint64_t credentials, std::uint64_t personal);

std::string_view to_string(Confidentiality value);
std::string_view to_string(Integrity value);
std::string_view to_string(Origin value);
Result<Confidentiality> parse_confidentiality(std::string_view text);
Result<Integrity> parse_integrity(std::string_view text);
Result<Origin> parse_origin(std::string_view text);

// {"confidentiality":"internal","categories":["personal"],"integrity":"trusted","origin":"human"}
void append_json(std::string& out, const Label& label);

}  // namespace gatehouse
