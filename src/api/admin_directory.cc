// See admin_directory.h.
#include "api/admin_directory.h"

#include <algorithm>
#include <map>

#include "api/json_depth.h"
#include "base/form.h"
#include "base/id.h"
#include "base/text.h"
#include "gateway/administer_directory.h"
#include "gateway/administration.h"
#include "identity/rules.h"
#include "identity/scim.h"

namespace gatehouse::api {
namespace {

using identity::Account;
using identity::Directory;
using identity::DirectoryGroup;
using nlohmann::json;
using namespace identity::scim;

constexpr std::size_t most_listed = 200;
constexpr std::size_t most_accounts = 100'000;
constexpr std::size_t most_groups = 10'000;
// Of the data of one event, with room for the rest of the entry.
constexpr std::size_t longest_data = 60'000;

std::unexpected<Refusal> no(int status, std::string_view type, std::string detail) {
  return std::unexpected(Refusal{status, type, std::move(detail)});
}

// A call, taken apart.
struct Call {
  std::string_view method;
  std::string kind;  // "Users", "Groups", …
  std::string id;    // may be empty
  std::map<std::string, std::string, std::less<>> query;
  json body;
  std::string base;
};

Answer<std::string> decoded(std::string_view text) {
  auto out = decode_form_text(text);
  if (!out) return no(400, "invalidSyntax", "the URL is malformed");
  return *std::move(out);
}

Answer<void> read_query(std::string_view text, Call& call) {
  for (const auto pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decoded(pair.substr(0, equals));
    auto value =
        decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name || !value) return no(400, "invalidSyntax", "the query is malformed");
    if (!call.query.emplace(to_lower(*name), std::move(*value)).second)
      return no(400, "invalidSyntax", "a parameter stands twice");
  }
  return {};
}

Answer<Call> read_call(std::string_view method, std::string_view target, std::string_view body,
                       const gateway::Config& config) {
  Call call;
  call.method = method;
  const auto& resource = config.identity.resource;
  call.base = resource.substr(0, resource.find('/', resource.find("://") + 3)) +
              std::string(gateway::directory_path);
  const auto mark = target.find('?');
  auto named = gateway::directory_resource(target.substr(0, mark));
  if (!named) return no(400, "invalidSyntax", "the URL is malformed");
  call.kind = std::move(named->kind);
  call.id = std::move(named->id);
  if (mark != std::string_view::npos)
    if (auto read = read_query(target.substr(mark + 1), call); !read)
      return std::unexpected(std::move(read).error());
  if (method == "POST" || method == "PUT" || method == "PATCH") {
    if (is_nested_too_deep(body)) return no(400, "invalidSyntax", "the body is nested too deep");
    call.body = json::parse(body, nullptr, false);
    if (!call.body.is_object()) return no(400, "invalidSyntax", "the body is no JSON object");
  }
  return call;
}

// What is there now, and how it changes.
class Service {
 public:
  Service(gateway::ControlPlane& control, const gateway::Config& config, std::string_view actor,
          const std::vector<std::string>& roles, Directory directory)
      : control_(control),
        config_(config),
        actor_(actor),
        roles_(roles),
        directory_(std::move(directory)) {}

  Answer<gateway::AdministrationReply> serve(const Call& call) {
    if (call.kind == "Users") return serve_users(call);
    if (call.kind == "Groups") return serve_groups(call);
    if (call.method != "GET") return no(405, "", "this is only read");
    const auto name = call.kind + (call.id.empty() ? std::string() : "/" + call.id);
    auto document = fixed_document(name, call.base);
    if (!document) return no(404, "", "there is nothing of this name");
    return reply(200, *document);
  }
  bool changed() const { return changed_; }

 private:
  static gateway::AdministrationReply reply(int status, const json& body) {
    return {status, body.dump(-1, ' ', false, json::error_handler_t::replace)};
  }

  std::string now() const { return format_time(control_.clock().wall()); }

  Answer<void> record(std::string_view type, std::string_view kind, const std::string& id,
                      std::string data) {
    if (data.size() > longest_data)
      return no(413, "tooMany", "this is more than one entry of the ledger holds");
    std::string subject;
    JsonWriter writer(subject);
    writer.begin_object().key("kind").string(kind).key("id").string(id).end_object();
    if (auto done = control_.registry().change(type, actor_, std::move(subject), std::move(data));
        !done)
      return no(503, "", "the change could not be recorded: " + done.error().describe());
    changed_ = true;
    return {};
  }

  // What a call changes is known only here, in order with all other changes: the policies may have
  // been asked when the group had another name, or the member was not suspended yet.
  Answer<void> was_asked_about(std::string_view group) const {
    if (!gateway::is_administrative_group(group) || std::ranges::count(roles_, group) > 0)
      return {};
    return no(409, "",
              "who has the role " + std::string(group) +
                  " would change, and nobody decided about that; try again");
  }

  // ---- lists -----------------------------------------------------------------------------------

  static Answer<std::size_t> number(const Call& call, std::string_view name, std::size_t fallback) {
    const auto found = call.query.find(name);
    if (found == call.query.end()) return fallback;
    // Less than is possible is the least that is (RFC 7644 section 3.4.2.4).
    if (found->second.starts_with('-')) return 0;
    const auto value = parse_uint(found->second);
    if (!value) return no(400, "invalidValue", std::string(name) + " is a number");
    return static_cast<std::size_t>(std::min<std::uint64_t>(*value, 1'000'000'000));
  }

  template <class Resources, class Show>
  Answer<gateway::AdministrationReply> list(const Call& call, const Resources& all, Show show) {
    std::vector<Condition> filter;
    if (const auto found = call.query.find("filter"); found != call.query.end()) {
      auto parsed = parse_filter(found->second);
      if (!parsed) return std::unexpected(std::move(parsed).error());
      filter = std::move(*parsed);
    }
    const auto start = number(call, "startindex", 1);
    const auto count = number(call, "count", 100);
    if (!start || !count) return std::unexpected(start ? count.error() : start.error());
    const auto first = std::max<std::size_t>(*start, 1);
    json page = json::array();
    std::size_t total = 0;
    for (const auto& [id, one] : all) {
      if (!is_there(one) || !matches(one, filter)) continue;
      ++total;
      if (total >= first && page.size() < std::min(*count, most_listed)) page.push_back(show(one));
    }
    return reply(200, list_of(std::move(page), total, first));
  }
  static bool is_there(const Account& account) { return !account.removed; }
  static bool is_there(const DirectoryGroup&) { return true; }

  // ---- users -----------------------------------------------------------------------------------

  json show(const Call& call, const Account& account) const {
    return resource_of(account, directory_, call.base);
  }

  Answer<gateway::AdministrationReply> serve_users(const Call& call) {
    if (call.id.empty()) {
      if (call.method == "POST") return create_user(call);
      if (call.method != "GET") return no(405, "", "use GET or POST for the list of users");
      return list(call, directory_.accounts(), [&](const Account& one) { return show(call, one); });
    }
    const auto* const known = directory_.find_account(call.id);
    if (known == nullptr) return no(404, "", "there is no user of this id");
    if (call.method == "GET") return reply(200, show(call, *known));
    if (call.method == "DELETE") return remove_user(*known);
    Account next = *known;
    Answer<void> read = no(405, "", "use GET, PUT, PATCH or DELETE for a user");
    if (call.method == "PUT") read = read_account(call.body, next);
    if (call.method == "PATCH") read = patch_account(call.body, next);
    if (!read) return std::unexpected(std::move(read).error());
    if (auto fine = name_principal(next, known); !fine) return std::unexpected(fine.error());
    if (!known->active && next.active)
      for (const auto& group : directory_.groups_of(known->principal))
        if (auto asked = was_asked_about(group); !asked) return std::unexpected(asked.error());
    return keep_user(call, std::move(next), 200);
  }

  // Who the account is here; nobody else's, and not somebody else than before while it has a role
  // by a group, which would be theirs.
  Answer<void> name_principal(Account& account, const Account* before) const {
    const auto& id =
        config_.identity.directory_by_external_id ? account.external_id : account.user_name;
    if (id.empty()) return no(400, "invalidValue", "externalId is missing");
    identity::rename(account, "user:" + id);
    if (account.former.size() > identity::most_former)
      return no(400, "mutability", "the user was renamed too often");
    if (auto fine = identity::parse_principal(account.principal); !fine)
      return no(400, "invalidValue", fine.error().message);
    for (const auto& [other_id, other] : directory_.accounts()) {
      if (other_id == account.id || other.removed) continue;
      if (other.principal == account.principal ||
          to_lower(other.user_name) == to_lower(account.user_name))
        return no(409, "uniqueness", "another user has this name");
    }
    if (before == nullptr || before->principal == account.principal) return {};
    for (const auto& group : directory_.groups_of(before->principal))
      if (gateway::is_administrative_group(group))
        return no(400, "mutability", "a member of " + group + " cannot become somebody else");
    return {};
  }

  Answer<gateway::AdministrationReply> create_user(const Call& call) {
    if (directory_.accounts().size() >= most_accounts)
      return no(413, "tooMany", "there are too many users");
    Account account;
    if (auto read = read_account(call.body, account); !read)
      return std::unexpected(std::move(read).error());
    account.id = make_uuid7(control_.clock(), control_.random());
    account.created = now();
    if (auto fine = name_principal(account, nullptr); !fine) return std::unexpected(fine.error());
    std::vector<std::string> before;  // the same person, whom the directory had deleted
    for (const auto& [id, other] : directory_.accounts()) {
      if (!other.removed || other.principal != account.principal) continue;
      before.push_back(id);
      for (const auto& name : other.former)
        if (std::ranges::count(account.former, name) == 0) account.former.push_back(name);
    }
    if (account.former.size() > identity::most_former)
      return no(400, "uniqueness", "users of this name were renamed too often");
    auto made = keep_user(call, std::move(account), 201);
    if (!made) return made;
    for (const auto& id : before) {
      if (auto gone = record("account.removed", "account", id, json{{"id", id}}.dump()); !gone)
        return std::unexpected(std::move(gone).error());
    }
    return made;
  }

  Answer<gateway::AdministrationReply> keep_user(const Call& call, Account account, int status) {
    account.modified = now();
    if (auto kept =
            record("account.provisioned", "account", account.id, identity::account_data(account));
        !kept)
      return std::unexpected(std::move(kept).error());
    return reply(status, show(call, account));
  }

  // They stay suspended: a credential of theirs is as good as before, but for that.
  Answer<gateway::AdministrationReply> remove_user(const Account& known) {
    Account gone = known;
    gone.active = false;
    gone.removed = true;
    gone.attributes.clear();
    gone.modified = now();
    if (auto kept = record("account.provisioned", "account", gone.id, identity::account_data(gone));
        !kept)
      return std::unexpected(std::move(kept).error());
    return gateway::AdministrationReply{204, {}};
  }

  // ---- groups ----------------------------------------------------------------------------------

  bool with_members(const Call& call) const {
    const auto found = call.query.find("excludedattributes");
    return found == call.query.end() ||
           to_lower(found->second).find("members") == std::string::npos;
  }
  json show(const Call& call, const DirectoryGroup& group) const {
    return resource_of(group, directory_, call.base, with_members(call));
  }

  Answer<gateway::AdministrationReply> serve_groups(const Call& call) {
    if (call.id.empty()) {
      if (call.method == "POST") return create_group(call);
      if (call.method != "GET") return no(405, "", "use GET or POST for the list of groups");
      return list(call, directory_.groups(),
                  [&](const DirectoryGroup& one) { return show(call, one); });
    }
    const auto* const known = directory_.find_group(call.id);
    if (known == nullptr) return no(404, "", "there is no group of this id");
    if (call.method == "GET") return reply(200, show(call, *known));
    if (call.method == "DELETE") return remove_group(*known);
    DirectoryGroup next = *known;
    Answer<void> read = no(405, "", "use GET, PUT, PATCH or DELETE for a group");
    if (call.method == "PUT") read = read_group(call.body, next);
    if (call.method == "PATCH") read = patch_group(call.body, next);
    if (!read) return std::unexpected(std::move(read).error());
    return keep_group(call, std::move(next), known, 200);
  }

  Answer<gateway::AdministrationReply> create_group(const Call& call) {
    if (directory_.groups().size() >= most_groups)
      return no(413, "tooMany", "there are too many groups");
    DirectoryGroup group;
    if (auto read = read_group(call.body, group); !read)
      return std::unexpected(std::move(read).error());
    group.id = make_uuid7(control_.clock(), control_.random());
    group.created = now();
    return keep_group(call, std::move(group), nullptr, 201);
  }

  Answer<gateway::AdministrationReply> keep_group(const Call& call, DirectoryGroup group,
                                                  const DirectoryGroup* before, int status) {
    if (auto asked = was_asked_about(group.display_name); !asked)
      return std::unexpected(asked.error());
    if (before != nullptr)
      if (auto asked = was_asked_about(before->display_name); !asked)
        return std::unexpected(asked.error());
    for (const auto& [id, other] : directory_.groups())
      if (id != group.id && to_lower(other.display_name) == to_lower(group.display_name))
        return no(409, "uniqueness", "another group has this name");
    // Who has been deleted meanwhile falls out; somebody who never was is a mistake of the caller.
    const auto was_member = [&](const std::string& id) {
      return before != nullptr && std::ranges::binary_search(before->members, id);
    };
    for (const auto& id : group.members)
      if (directory_.find_account(id) == nullptr && !was_member(id))
        return no(400, "invalidValue", "a member is no user here");
    std::erase_if(group.members,
                  [&](const auto& id) { return directory_.find_account(id) == nullptr; });
    group.modified = now();
    if (auto kept = record("group.provisioned", "group", group.id, identity::group_data(group));
        !kept)
      return std::unexpected(std::move(kept).error());
    return reply(status, show(call, group));
  }

  Answer<gateway::AdministrationReply> remove_group(const DirectoryGroup& known) {
    if (auto asked = was_asked_about(known.display_name); !asked)
      return std::unexpected(asked.error());
    const std::string id = known.id;
    if (auto gone = record("group.removed", "group", id, json{{"id", id}}.dump()); !gone)
      return std::unexpected(std::move(gone).error());
    return gateway::AdministrationReply{204, {}};
  }

  gateway::ControlPlane& control_;
  const gateway::Config& config_;
  std::string actor_;
  const std::vector<std::string>& roles_;
  Directory directory_;
  bool changed_ = false;
};

}  // namespace

gateway::AdministrationReply administer_directory(gateway::ControlPlane& control,
                                                  const gateway::Config& config,
                                                  std::string_view method, std::string_view target,
                                                  std::string_view body, std::string_view actor,
                                                  const std::vector<std::string>& roles,
                                                  std::mutex& mutex, bool& changed) {
  const auto refused = [](const Refusal& refusal) {
    return gateway::AdministrationReply{refusal.status, error_body(refusal)};
  };
  const auto call = read_call(method, target, body, config);
  if (!call) return refused(call.error());
  const std::lock_guard lock(mutex);
  auto directory = Directory::build(control.registry().state());
  if (!directory) return refused({500, "", directory.error().describe()});
  Service service(control, config, actor, roles, std::move(*directory));
  auto answer = service.serve(*call);
  changed = service.changed();
  return answer ? std::move(*answer) : refused(answer.error());
}

}  // namespace gatehouse::api
