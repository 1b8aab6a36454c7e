// The parts of a request's context that have a fixed form, made in one place for the gateway, for
// policy tests and for replay.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "label/label.h"
#include "policy/policy.h"

namespace gatehouse::policy {

using FindingCounts = std::array<std::uint64_t, finding_categories.size()>;

// context.findings
Record findings_record(const FindingCounts& counts);

// How rare such a score is in harmless text, in (0, 1]; 1 says nothing.
struct RiskValues {
  double jailbreak = 1;
  double injection = 1;
};

// A p-value as policies see it: cut, not rounded, to four digits, so that "below 0.001" here and
// there are the same; above `most_telling_p` it is 1, which keeps decisions cacheable.
inline constexpr double most_telling_p = 0.05;
Decimal p_decimal(double p);

// context.risk
Record risk_record(const RiskValues& risk);

// context.label
Record label_record(const Label& label);

// Who acts for whom. `actors` are "kind:id", everybody in the chain and the principal.
struct Delegation {
  std::int64_t depth = 0;
  std::vector<std::string> actors;
  std::string root_kind;
  std::string root_id;
};
// context.delegation
Record delegation_record(const Delegation& delegation);

// Where the values of a tool call's arguments come from.
struct Arguments {
  Integrity integrity = Integrity::trusted;
  Confidentiality confidentiality = Confidentiality::public_;
  std::vector<std::string> untrusted;
  std::vector<std::string> derived;
};
// context.arguments
Record arguments_record(const Arguments& arguments);

// The members hour and weekday, UTC.
void append_clock(Attributes& context, WallTime time);
// The member peer: the address without the port, which says nothing about who it is.
void append_peer(Attributes& context, std::string_view peer);

// Of a clearance as keys and tokens write it, by name or number; 0 for anything else: who has a
// clearance nobody understands has none.
std::int64_t clearance_level(std::string_view clearance);

}  // namespace gatehouse::policy
