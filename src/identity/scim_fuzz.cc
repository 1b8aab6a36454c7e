// SCIM from outside: filters, paths and bodies of any shape are refused or read, and what is read
// can be kept and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "identity/scim.h"

using namespace gatehouse::identity;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)scim::parse_filter(text);
  (void)scim::parse_path(text);
  const auto body = nlohmann::json::parse(text, nullptr, false);
  if (body.is_discarded()) return 0;
  const auto keep = [](const Account& account) {
    const auto again = account_from(account_data(account));
    if (!again || again->active != account.active) __builtin_trap();
  };
  Account account{"1", "ada", "x", true, false, "user:ada", {}, "", ""};
  if (scim::read_account(body, account)) keep(account);
  account = {"1", "ada", "x", false, false, "user:ada", {{"department", "d"}}, "", ""};
  if (scim::patch_account(body, account)) keep(account);
  DirectoryGroup group{"1", "staff", "", {"a", "b"}, "", ""};
  const auto keep_group = [](const DirectoryGroup& one) {
    if (one.members.size() > scim::most_members || !group_from(group_data(one))) __builtin_trap();
  };
  if (scim::patch_group(body, group)) keep_group(group);
  if (scim::read_group(body, group)) keep_group(group);
  return 0;
}
