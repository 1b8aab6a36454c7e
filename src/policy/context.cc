// See context.h.
#include "policy/context.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace gatehouse::policy {
namespace {

constexpr double scale = 10'000;

std::int64_t as_long(std::uint64_t count) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(count, most));
}

std::vector<std::string> texts(const std::set<std::string, std::less<>>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

Record findings_record(const FindingCounts& counts) {
  Record record;
  record.members.reserve(counts.size());
  for (std::size_t at = 0; at < counts.size(); ++at)
    record.members.push_back({std::string(finding_categories[at]), as_long(counts[at])});
  return record;
}

Decimal p_decimal(double p) {
  // Also what is no number: a score nobody can read must not look harmless.
  if (!(p >= 0)) return {0};
  if (p > most_telling_p) return {static_cast<std::int64_t>(scale)};
  // 0.0003 * 10000 is a little below 3: what is that near to a digit is meant to be it.
  constexpr double nearly = 1e-9;
  return {static_cast<std::int64_t>(std::floor(p * scale + nearly))};
}

Record risk_record(const RiskValues& risk) {
  return {{"jailbreak", Record{{"p", p_decimal(risk.jailbreak)}}},
          {"injection", Record{{"p", p_decimal(risk.injection)}}}};
}

Record label_record(const Label& label) {
  return {{"confidentiality", static_cast<std::int64_t>(label.confidentiality)},
          {"categories", texts(label.categories)},
          {"integrity", static_cast<std::int64_t>(label.integrity)}};
}

Record delegation_record(const Delegation& delegation) {
  return {{"depth", delegation.depth},
          {"actors", delegation.actors},
          {"root_kind", delegation.root_kind},
          {"root_id", delegation.root_id}};
}

Record arguments_record(const Arguments& arguments) {
  return {{"integrity", static_cast<std::int64_t>(arguments.integrity)},
          {"confidentiality", static_cast<std::int64_t>(arguments.confidentiality)},
          {"untrusted", arguments.untrusted},
          {"derived", arguments.derived}};
}

void append_clock(Attributes& context, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(time - day).count();
  context.emplace_back("hour", static_cast<std::int64_t>(hour));
  context.emplace_back("weekday",
                       static_cast<std::int64_t>(std::chrono::weekday(day).iso_encoding()));
}

void append_peer(Attributes& context, std::string_view peer) {
  const auto colon = peer.rfind(':');
  context.emplace_back("peer",
                       std::string(colon == std::string_view::npos ? peer : peer.substr(0, colon)));
}

std::int64_t clearance_level(std::string_view clearance) {
  if (clearance.size() == 1 && clearance[0] >= '0' && clearance[0] <= '3')
    return clearance[0] - '0';
  const auto named = parse_confidentiality(clearance);
  return named ? static_cast<std::int64_t>(*named) : 0;
}

}  // namespace gatehouse::policy
