// Any type and any bytes as the data of a state event: parsing ends, and what is accepted keeps the
// bounds the tables rely on.
#include <cstdint>
#include <cstdlib>

#include "base/id.h"
#include "store/change.h"

namespace {

using namespace gatehouse::store;

void demand(bool holds) {
  if (!holds) std::abort();
}

struct Checker {
  void operator()(const Unrelated& /*event*/) const {}
  void operator()(const KeyCreated& created) const {
    demand(gatehouse::is_uuid(created.key.id) && created.key.hash.size() == 64);
    demand(!created.key.principal_id.empty() && created.key.principal_id.size() <= 1024);
  }
  void operator()(const KeyRevoked& revoked) const { demand(gatehouse::is_uuid(revoked.id)); }
  void operator()(const ModelAdded& added) const { demand(!added.model.name.empty()); }
  void operator()(const ModelRemoved& removed) const { demand(!removed.name.empty()); }
  void operator()(const RecordPut& put) const {
    demand(is_record(put.record.name) && put.record.data.starts_with('{'));
  }
  void operator()(const RecordRemoved& removed) const { demand(is_record(removed.name)); }
  void operator()(const ToolReviewed& reviewed) const {
    demand(!reviewed.tool.server.empty() && !reviewed.tool.tool.empty());
    demand(!reviewed.tool.digest.empty());
  }
  void operator()(const ToolChanged& changed) const {
    demand(changed.key.size() >= 3 && !changed.digest.empty());
  }
  void operator()(const ToolWithdrawn& withdrawn) const { demand(withdrawn.key.size() >= 3); }

  // "account/ada": a kind and what it is about.
  static bool is_record(std::string_view name) {
    const std::size_t slash = name.find('/');
    return slash != name.npos && slash > 0 && slash + 1 < name.size();
  }
};

constexpr const char* types[] = {"key.created",
                                 "key.revoked",
                                 "model.added",
                                 "model.removed",
                                 "token.revoked",
                                 "principal.revoked",
                                 "principal.restored",
                                 "mcp.tool.reviewed",
                                 "mcp.tool.changed",
                                 "mcp.tool.withdrawn",
                                 "approval.requested",
                                 "approval.used",
                                 "account.provisioned",
                                 "account.removed",
                                 "group.provisioned",
                                 "group.removed",
                                 "other"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const char* type : types)
    if (const auto change = parse_change(type, input)) std::visit(Checker{}, *change);
  (void)parse_attributes(input);
  return 0;
}
