// gatehouse vault get|list|find|erase|hold|holds|release|rewrap: what operators do with kept
// content.
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/admin_call.h"
#include "cli/verbs.h"

namespace gatehouse::cli {
namespace {

using nlohmann::json;

struct VaultOptions {
  std::string config = "gatehouse.yaml";
  std::string record;
  std::string subject;
  std::string hold;
  std::string reason;
  std::string which = "request";
  std::size_t limit = 20;
  bool salt = false;
  bool as_json = false;
};

json call(const VaultOptions& options, std::string_view what, const json& body) {
  return admin_call(options.config, "POST", "/admin/vault/" + std::string(what), body);
}

// {record} or {subject}, as one of them was given.
json target(const VaultOptions& options) {
  json body = json::object();
  if (!options.record.empty()) body["record"] = options.record;
  if (!options.subject.empty()) body["subject"] = options.subject;
  return body;
}

json with_reason(json body, const VaultOptions& options) {
  body["reason"] = options.reason;
  return body;
}

int get(const VaultOptions& options) {
  const auto reply =
      call(options, "get",
           {{"record", options.record}, {"which", options.which}, {"salt", options.salt}});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
    return 0;
  }
  if (options.salt) {
    std::cout << reply["salt"].get<std::string>() << '\n';
    return 0;
  }
  const auto content = from_base64(reply["content"].get<std::string>());
  if (!content) {
    std::cerr << "gatehouse: the answer of the gateway cannot be read\n";
    return 2;
  }
  std::cout.write(content->data(), static_cast<std::streamsize>(content->size()));
  std::cout.flush();
  if (reply["info"]["truncated"].get<bool>())
    std::cerr << "gatehouse: this is the beginning; the whole had "
              << reply["info"]["original_bytes"] << " bytes\n";
  return std::cout ? 0 : 2;
}

std::string state_of(const json& record) {
  if (record["erased"].get<bool>()) return "erased";
  std::string state = record["held"].get<bool>() ? "held" : "kept";
  if (record["truncated"].get<bool>()) state += ", truncated";
  return state;
}

int list(const VaultOptions& options) {
  const auto reply = call(
      options, "list",
      options.record.empty() ? json{{"limit", options.limit}} : json{{"record", options.record}});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["records"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(38) << "RECORD" << std::setw(10) << "WHICH" << std::setw(29)
            << "TIME" << std::setw(12) << "BYTES"
            << "STATE\n";
  for (const auto& record : reply["records"]) {
    std::cout << std::setw(38) << record["record"].get<std::string>() << std::setw(10)
              << record["which"].get<std::string>() << std::setw(29)
              << record["time"].get<std::string>() << std::setw(12) << record["bytes"]
              << state_of(record) << '\n';
  }
  return 0;
}

int find(const VaultOptions& options) {
  const auto reply = call(options, "find", {{"subject", options.subject}});
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["records"].dump() << '\n';
    return 0;
  }
  for (const auto& record : reply["records"]) std::cout << record.get<std::string>() << '\n';
  return 0;
}

int erase(const VaultOptions& options) {
  const auto reply = call(options, "erase", with_reason(target(options), options));
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply.dump() << '\n';
  } else {
    for (const auto& record : reply["erased"])
      std::cout << "erased " << record.get<std::string>() << '\n';
    for (const auto& record : reply["held"])
      std::cout << "held   " << record.get<std::string>() << '\n';
  }
  return reply["held"].empty() ? 0 : 1;
}

int hold(const VaultOptions& options) {
  const auto reply = call(options, "hold", with_reason(target(options), options));
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["hold"].dump() << '\n';
  } else {
    std::cout << "hold " << reply["hold"]["hold"].get<std::string>() << '\n';
  }
  return 0;
}

int holds(const VaultOptions& options) {
  const auto reply = call(options, "holds", json::object());
  if (reply.is_discarded()) return 2;
  if (options.as_json) {
    std::cout << reply["holds"].dump() << '\n';
    return 0;
  }
  std::cout << std::left << std::setw(38) << "HOLD" << std::setw(38) << "RECORD OR SUBJECT HASH"
            << std::setw(29) << "SINCE"
            << "REASON\n";
  for (const auto& one : reply["holds"]) {
    const auto* what = one.contains("record") ? "record" : "subject_hash";
    std::cout << std::setw(38) << one["hold"].get<std::string>() << std::setw(38)
              << one[what].get<std::string>() << std::setw(29) << one["since"].get<std::string>()
              << printable(one["reason"].get<std::string>()) << '\n';
  }
  return 0;
}

int release(const VaultOptions& options) {
  const auto reply = call(options, "release", with_reason({{"hold", options.hold}}, options));
  if (reply.is_discarded()) return 2;
  std::cout << "released " << reply["hold"]["hold"].get<std::string>() << '\n';
  return 0;
}

int rewrap(const VaultOptions& options) {
  const auto reply = call(options, "rewrap", json::object());
  if (reply.is_discarded()) return 2;
  std::cout << reply["records"] << " records are under the new key; vault.old_key can go\n";
  return 0;
}

void add_target(CLI::App& verb, VaultOptions& options) {
  auto* record = verb.add_option("record", options.record, "Id of the call (Gatehouse-Entry)");
  verb.add_option("--subject", options.subject,
                  "All calls in which this identifier was found: an address of mail, a telephone "
                  "number, …")
      ->excludes(record);
  verb.add_option("--reason", options.reason, "Why; stands in the ledger")->required();
}

}  // namespace

void add_vault(CLI::App& app, Exit& exit) {
  const auto options = std::make_shared<VaultOptions>();
  auto* verb = app.add_subcommand("vault", "Content of calls that was kept");
  verb->require_subcommand(1);

  auto* get_verb = verb->add_subcommand("get", "Print the content of a call, byte for byte");
  get_verb->add_option("record", options->record, "Id of the call (Gatehouse-Entry)")->required();
  get_verb->add_option("--which", options->which, "request or answer")->capture_default_str();
  get_verb->add_flag("--salt", options->salt, "Print its salt instead, in hexadecimal");
  get_verb->callback([options, &exit] { exit = get(*options); });

  auto* list_verb = verb->add_subcommand("list", "The last records, or those of one call");
  list_verb->add_option("record", options->record, "Id of the call");
  list_verb->add_option("-n,--limit", options->limit, "How many")->capture_default_str();
  list_verb->callback([options, &exit] { exit = list(*options); });

  auto* find_verb = verb->add_subcommand("find", "Ids of calls in which an identifier was found");
  find_verb->add_option("subject", options->subject, "An address of mail, a telephone number, …")
      ->required();
  find_verb->callback([options, &exit] { exit = find(*options); });

  auto* erase_verb = verb->add_subcommand("erase", "Destroy content, key and salt, for good");
  add_target(*erase_verb, *options);
  erase_verb->callback([options, &exit] { exit = erase(*options); });

  auto* hold_verb = verb->add_subcommand("hold", "Legal hold: neither erased nor pruned");
  add_target(*hold_verb, *options);
  hold_verb->callback([options, &exit] { exit = hold(*options); });

  auto* holds_verb = verb->add_subcommand("holds", "The holds there are");
  holds_verb->callback([options, &exit] { exit = holds(*options); });

  auto* release_verb = verb->add_subcommand("release", "End a hold");
  release_verb->add_option("hold", options->hold, "Id of the hold")->required();
  release_verb->add_option("--reason", options->reason, "Why; stands in the ledger")->required();
  release_verb->callback([options, &exit] { exit = release(*options); });

  auto* rewrap_verb =
      verb->add_subcommand("rewrap", "Bring every record under a new vault.key (old: old_key)");
  rewrap_verb->callback([options, &exit] { exit = rewrap(*options); });

  for (auto* each : {get_verb, list_verb, find_verb, erase_verb, hold_verb, holds_verb,
                     release_verb, rewrap_verb})
    each->add_option("--config", options->config, "Configuration file")->capture_default_str();
  for (auto* each : {get_verb, list_verb, find_verb, erase_verb, hold_verb, holds_verb})
    each->add_flag("--json", options->as_json, "Print JSON");
}

}  // namespace gatehouse::cli
