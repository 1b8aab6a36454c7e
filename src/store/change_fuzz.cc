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
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const char* type : {"key.created", "key.revoked", "model.added", "model.removed", "other"})
    if (const auto change = parse_change(type, input)) std::visit(Checker{}, *change);
  (void)parse_attributes(input);
  return 0;
}
