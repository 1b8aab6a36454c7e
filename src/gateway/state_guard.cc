// See state_guard.h.
#include "gateway/state_guard.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "gateway/incident.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t most_differences = 50;  // in one event
constexpr std::size_t longest_value = 256;    // names in the file may be anybody's

std::string bounded(std::string_view text) {
  return printable(utf8_prefix(text, longest_value));
}

// Which rows and fields; never a value.
std::string details_of(const std::vector<store::Difference>& differences) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().key("count").number(differences.size());
  writer.key("differences").begin_array();
  for (std::size_t at = 0; at < std::min(differences.size(), most_differences); ++at) {
    const auto& difference = differences[at];
    writer.begin_object().key("kind").string(to_string(difference.kind));
    writer.key("table").string(bounded(difference.table));
    if (!difference.row.empty()) writer.key("row").string(bounded(difference.row));
    if (!difference.field.empty()) writer.key("field").string(bounded(difference.field));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

Result<void> StateGuard::check() {
  GH_ASSIGN(auto found, control_.registry().reconcile());
  count_.store(found.size(), std::memory_order_relaxed);
  if (found == reported_) return {};
  if (!found.empty()) GH_TRY(raise_incident(control_, node_, "state.differs", details_of(found)));
  reported_ = std::move(found);
  return {};
}

}  // namespace gatehouse::gateway
