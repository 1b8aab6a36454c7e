// See record.h.
#include "export/record.h"

#include "base/text.h"

namespace gatehouse::exporter {
namespace {

constexpr std::size_t longest_string = 1'024;
constexpr std::size_t most_items = 256;
constexpr int deepest_level = 16;
constexpr std::size_t longest_id = 64;
constexpr std::size_t longest_node = 255;

Json bounded(const Json& value, int level = 0) {
  if (level > deepest_level) return nullptr;
  if (value.is_string())
    return std::string(utf8_prefix(value.get_ref<const std::string&>(), longest_string));
  if (value.is_array()) {
    Json list = Json::array();
    for (const auto& item : value) {
      if (list.size() == most_items) break;
      list.push_back(bounded(item, level + 1));
    }
    return list;
  }
  if (value.is_object()) {
    Json object = Json::object();
    for (const auto& [key, member] : value.items()) {
      if (object.size() == most_items) break;
      object[std::string(utf8_prefix(key, longest_string))] = bounded(member, level + 1);
    }
    return object;
  }
  return value;
}

// Nothing where it is no JSON object, or one that is nested deeper than any event is.
std::optional<Json> parse_object(std::string_view entry) {
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, Json::parse_event_t, const Json&) {
    too_deep = too_deep || depth > 2 * deepest_level;
    return !too_deep;
  };
  Json parsed = Json::parse(entry, watch, false);
  if (too_deep || !parsed.is_object()) return std::nullopt;
  return parsed;
}

Json object_of(const Json& parsed, const char* key) {
  const auto found = parsed.find(key);
  if (found == parsed.end() || !found->is_object()) return Json::object();
  return bounded(*found);
}

std::string short_text(const Json& parsed, const char* key, std::size_t limit) {
  return std::string(utf8_prefix(text_of(parsed, key), limit));
}

}  // namespace

Record read_record(std::uint64_t index, std::string_view entry, WallTime read_at) {
  Record record;
  record.index = index;
  record.time = read_at;
  record.digest = crypto::sha256(bytes_of(entry));
  // A JSON null where it is none: it has no members either.
  const Json parsed = parse_object(entry).value_or(Json());
  record.id = short_text(parsed, "id", longest_id);
  record.type = short_text(parsed, "type", longest_id);
  if (record.id.empty() || record.type.empty()) {
    record.readable = false;
    record.id = to_hex(record.digest);
    record.type = unreadable_type;
    return record;
  }
  record.node = short_text(parsed, "node", longest_node);
  record.snapshot = short_text(parsed, "snapshot", longest_node);
  if (const auto time = parse_time(text_of(parsed, "time"))) record.time = *time;
  record.actor = object_of(parsed, "actor");
  record.subject = object_of(parsed, "subject");
  record.label = object_of(parsed, "label");
  record.data = object_of(parsed, "data");
  // The keyed hash of an API key is what the ledger needs to rebuild state; a receiver has no use
  // for it.
  if (record.type.starts_with("key.")) record.data.erase("hash");
  return record;
}

std::string text_of(const Json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return to_utf8(found->get_ref<const std::string&>());
}

std::optional<std::int64_t> number_of(const Json& object, std::string_view key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return found->get<std::int64_t>();
}

const Json& list_of(const Json& object, std::string_view key) {
  static const Json none = Json::array();
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : none;
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace gatehouse::exporter
