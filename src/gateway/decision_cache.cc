// See decision_cache.h.
#include "gateway/decision_cache.h"

namespace gatehouse::gateway {
namespace {

// Every part is written with its length or count first, and every value with its type, so that no
// two requests share an encoding.
void append_count(std::string& out, std::size_t count) {
  const auto value = static_cast<std::uint32_t>(count);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append_count(out, text.size());
  out += text;
}

void append_number(std::string& out, std::int64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct AppendValue {
  std::string& out;

  void operator()(bool value) const { out += value ? 'T' : 'F'; }
  void operator()(std::int64_t value) const {
    out += 'n';
    append_number(out, value);
  }
  void operator()(const std::string& value) const {
    out += 's';
    append_text(out, value);
  }
  void operator()(const std::vector<std::string>& values) const {
    out += 'l';
    append_count(out, values.size());
    for (const auto& value : values) append_text(out, value);
  }
  void operator()(policy::Decimal value) const {
    out += 'd';
    append_number(out, value.ten_thousandths);
  }
  void operator()(const policy::Record& record) const {
    out += 'r';
    append_count(out, record.members.size());
    for (const auto& member : record.members) {
      append_text(out, member.name);
      std::visit(*this, member.value);
    }
  }
};

void append_attributes(std::string& out, const policy::Attributes& attributes) {
  append_count(out, attributes.size());
  for (const auto& [name, value] : attributes) {
    append_text(out, name);
    std::visit(AppendValue{out}, value);
  }
}

void append_entity(std::string& out, const policy::Entity& entity) {
  append_text(out, entity.type);
  append_text(out, entity.id);
  append_attributes(out, entity.attributes);
  append_count(out, entity.parents.size());
  for (const auto& [type, id] : entity.parents) {
    append_text(out, type);
    append_text(out, id);
  }
}

}  // namespace

void append_key(std::string& out, const policy::Request& request) {
  append_entity(out, request.principal);
  append_text(out, request.action);
  append_entity(out, request.resource);
  append_attributes(out, request.context);
  append_count(out, request.others.size());
  for (const auto& other : request.others) append_entity(out, other);
  append_count(out, request.acts_for.size());
  for (const auto& one : request.acts_for) append_entity(out, one);
}

policy::Decision DecisionCache::decide(const policy::Request& request) {
  key_.clear();
  append_key(key_, request);
  if (key_.size() > max_key_bytes) return policies_->decide(request);
  if (const auto known = known_.find(key_); known != known_.end()) return known->second;
  auto decision = policies_->decide(request);
  // An error may be of the moment (no stack, a panic); it denies this once.
  if (!decision.errors.empty()) return decision;
  if (known_.size() >= max_entries) known_.clear();
  return known_.emplace(key_, std::move(decision)).first->second;
}

}  // namespace gatehouse::gateway
