// Depth first, one node a value; see gh_cedar_node.
#include "policy/flatten.h"

namespace gatehouse::policy {
namespace {

gh_cedar_node node(std::string_view key, std::uint32_t kind, std::int64_t number) {
  return {text_for_cedar(key), {nullptr, 0}, number, kind};
}

gh_cedar_node count_node(std::string_view key, std::uint32_t kind, std::size_t count) {
  return node(key, kind, static_cast<std::int64_t>(count));
}

gh_cedar_uid uid_of(std::string_view type, std::string_view id) {
  return {text_for_cedar(type), text_for_cedar(id)};
}

}  // namespace

FlatRequest::FlatRequest(const Request& request) {
  nodes_.reserve(48);
  const Range principal = add(request.principal.attributes);
  const Range resource = add(request.resource.attributes);
  const Range context = add(request.context);
  std::vector<Range> others;
  others.reserve(request.others.size());
  for (const Entity& other : request.others) others.push_back(add(other.attributes));
  add_parents(request.principal);
  add_parents(request.resource);
  for (const Entity& other : request.others) add_parents(other);
  // Beyond this point nodes_ and parents_ do not grow: pointers into them are taken.
  request_.principal = {uid_of(request.principal.type, request.principal.id), nodes(principal),
                        parents_.data(), request.principal.parents.size()};
  request_.action = text_for_cedar(request.action);
  request_.resource = {uid_of(request.resource.type, request.resource.id), nodes(resource),
                       parents_.data() + request.principal.parents.size(),
                       request.resource.parents.size()};
  request_.context = nodes(context);
  const gh_cedar_uid* parents =
      parents_.data() + request.principal.parents.size() + request.resource.parents.size();
  others_.reserve(others.size());
  for (std::size_t at = 0; at < others.size(); ++at) {
    const Entity& other = request.others[at];
    others_.push_back(
        {uid_of(other.type, other.id), nodes(others[at]), parents, other.parents.size()});
    parents += other.parents.size();
  }
  request_.others = others_.data();
  request_.other_count = others_.size();
}

FlatRequest::Range FlatRequest::add(const Attributes& attributes) {
  const std::size_t begin = nodes_.size();
  for (const auto& [name, value] : attributes) add(name, value);
  return {begin, nodes_.size()};
}

void FlatRequest::add(std::string_view key, const std::string& value) {
  nodes_.push_back({text_for_cedar(key), text_for_cedar(value), 0, GH_CEDAR_STRING});
}

void FlatRequest::add(std::string_view key, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    nodes_.push_back(node(key, GH_CEDAR_BOOL, *flag ? 1 : 0));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    nodes_.push_back(node(key, GH_CEDAR_LONG, *number));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    add(key, *text);
  } else if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
    nodes_.push_back(count_node(key, GH_CEDAR_SET, items->size()));
    for (const std::string& item : *items) add("", item);
  } else if (const auto* decimal = std::get_if<Decimal>(&value)) {
    nodes_.push_back(node(key, GH_CEDAR_DECIMAL, decimal->ten_thousandths));
  } else {
    const auto& members = std::get<Record>(value).members;
    nodes_.push_back(count_node(key, GH_CEDAR_RECORD, members.size()));
    for (const Member& member : members) add(member.name, member.value);
  }
}

void FlatRequest::add_parents(const Entity& entity) {
  for (const auto& [type, id] : entity.parents) parents_.push_back(uid_of(type, id));
}

gh_cedar_nodes FlatRequest::nodes(Range range) const {
  return {nodes_.data() + range.begin, range.end - range.begin};
}

}  // namespace gatehouse::policy
