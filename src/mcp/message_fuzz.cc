// The message reader: no crash, exact, and never more lenient than an independent parser. Whatever
// it accepts can be written again from its parts; headers it sets are headers it accepts.
#include <cstdint>
#include <nlohmann/json.hpp>

#include "mcp/catalogue.h"
#include "mcp/headers.h"
#include "mcp/message.h"

using namespace gatehouse;
using namespace gatehouse::mcp;

namespace {

void check_same(const JsonView& view, const nlohmann::json& other) {
  GH_CHECK(view.is_object() == other.is_object());
  GH_CHECK(view.is_array() == other.is_array());
  GH_CHECK(view.is_string() == other.is_string());
  if (view.is_object()) {
    const auto members = view.members();
    GH_CHECK(members.size() == other.size());
    for (const auto& member : members) {
      GH_CHECK(other.contains(member.key));
      GH_CHECK(view.find(member.key)->raw() == member.value.raw());
      check_same(member.value, other[member.key]);
    }
  } else if (view.is_array()) {
    const auto items = view.items();
    GH_CHECK(items.size() == other.size());
    for (std::size_t at = 0; at < items.size(); ++at) check_same(items[at], other[at]);
  } else if (view.is_string()) {
    GH_CHECK(view.text() == other.get<std::string>());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto view = JsonView::parse(text);
  const auto other = nlohmann::json::parse(text, nullptr, false);
  if (view) {
    // Lone surrogates are the one thing we read and it refuses; so are numbers beyond a double.
    if (!other.is_discarded()) check_same(*view, other);
    (void)parameter_headers(*view);
    if (view->is_object()) (void)read_tools(*view);
    GH_CHECK(definition_digest(*view) == definition_digest(*JsonView::parse(view->raw())));
  }
  const auto message = read_message(text);
  if (!message) return 0;
  GH_CHECK(view.has_value());
  if (message->kind != Message::Kind::request) return 0;
  net::Fields fields;
  set_headers(fields, *message, {});
  if (message->meta_version() == modern_version)
    GH_CHECK(header_mismatch(fields, *message, {}).empty());
  GH_CHECK(read_message(error_message(message->id, -32603, message->method)).has_value());
  return 0;
}
