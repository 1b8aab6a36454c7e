// See template.h.
#include "onnx/template.h"

#include <algorithm>

#include "base/text.h"
#include "onnx/json_fields.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;

constexpr std::size_t most_special = 16;
constexpr std::uint32_t largest_type = 255;

}  // namespace

// [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, …]
Result<void> Template::add_template(const json& object, const std::string& where) {
  JsonFields fields(object, where);
  fields.ignore("type");
  fields.ignore("pair");  // of two texts: none are judged together
  const json* single = fields.any("single");
  const json* tokens = fields.any("special_tokens");
  if (single == nullptr || !single->is_array() || single->size() > most_special)
    fields.refuse("\"single\" is not a list of at most 16 items");
  if (known_) fields.refuse("a second one that puts tokens around a text");
  GH_TRY(fields.finish());
  known_ = true;
  bool text_seen = false;
  for (const json& item : *single) {
    JsonFields kinds(item, where + ".single");
    const json* special = kinds.any("SpecialToken");
    const json* sequence = kinds.any("Sequence");
    if ((special == nullptr) == (sequence == nullptr))
      kinds.refuse("an item is neither a SpecialToken nor a Sequence");
    GH_TRY(kinds.finish());
    JsonFields one(special != nullptr ? *special : *sequence, where + ".single");
    const std::string id = one.string("id");
    const std::uint32_t type = one.number("type_id");
    if (type > largest_type) one.refuse("\"type_id\" is larger than 255");
    if (sequence != nullptr && (id != "A" || text_seen))
      one.refuse("the text must stand in it once");
    GH_TRY(one.finish());
    if (sequence != nullptr) {
      text_seen = true;
      text_type_ = type;
      continue;
    }
    const json* known =
        tokens != nullptr && tokens->is_object() && tokens->contains(id) ? &(*tokens)[id] : nullptr;
    if (known == nullptr)
      return fail(ErrorCode::invalid_argument,
                  where + ": a special token is not among \"special_tokens\"");
    JsonFields token(*known, where + ".special_tokens");
    token.ignore("id");
    token.ignore("tokens");
    const json* ids = token.any("ids");
    if (ids == nullptr || !ids->is_array() || ids->size() > most_special)
      token.refuse("\"ids\" is not a list of at most 16 numbers");
    GH_TRY(token.finish());
    for (const json& number : *ids) {
      if (!number.is_number_unsigned() || number.get<std::uint64_t>() > 0x7fffffff)
        return fail(ErrorCode::invalid_argument, where + ": an id is not a number");
      (text_seen ? after_ : before_).push_back({number.get<std::uint32_t>(), type});
    }
  }
  if (!text_seen) return fail(ErrorCode::invalid_argument, where + ": the text is not in it");
  return {};
}

// {"sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}
Result<void> Template::add_bert(const json& object, const std::string& where, const IdOf& id_of) {
  JsonFields fields(object, where);
  for (const char* key : {"type", "trim_offsets", "add_prefix_space"}) fields.ignore(key);
  if (known_) fields.refuse("a second one that puts tokens around a text");
  const auto read = [&](const char* key, std::vector<Special>& out) {
    const json* pair = fields.any(key);
    const bool usable =
        pair != nullptr && pair->is_array() && pair->size() == 2 && (*pair)[0].is_string() &&
        (*pair)[1].is_number_unsigned() &&
        id_of((*pair)[0].get_ref<const std::string&>()) == (*pair)[1].get<std::uint64_t>();
    if (!usable) {
      fields.refuse(std::string("\"") + key + "\" is not a token and its number");
    } else {
      out.push_back({(*pair)[1].get<std::uint32_t>(), 0});
    }
  };
  read("cls", before_);
  read("sep", after_);
  known_ = true;
  return fields.finish();
}

Result<void> Template::add(const json& object, std::string where, const IdOf& id_of, int depth) {
  constexpr int deepest_sequence = 4;
  if (!object.is_object() || !object.contains("type") || !object["type"].is_string())
    return fail(ErrorCode::invalid_argument, where + ": has no \"type\"");
  const auto& type = object["type"].get_ref<const std::string&>();
  const std::string named = where + " (" + printable(utf8_prefix(type, 64)) + ")";
  if (type == "TemplateProcessing") return add_template(object, named);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return add_bert(object, named, id_of);
  if (type == "ByteLevel") return {};  // says where in the text a token stands
  JsonFields fields(object, named);
  fields.ignore("type");
  if (type != "Sequence") {
    fields.refuse("this sort of post-processor is not supported");
    return fields.finish();
  }
  const json* list = fields.any("processors");
  if (list == nullptr || !list->is_array()) fields.refuse("\"processors\" is not a list");
  if (depth == deepest_sequence) fields.refuse("sequences within sequences, too deep");
  GH_TRY(fields.finish());
  for (std::size_t at = 0; at < list->size(); ++at)
    GH_TRY(add((*list)[at], where + ".processors[" + std::to_string(at) + "]", id_of, depth + 1));
  return {};
}

Result<Template> Template::parse(const json& object, const IdOf& id_of) {
  Template made;
  if (object.is_null()) return made;
  GH_TRY(made.add(object, "post_processor", id_of, 0));
  return made;
}

std::uint32_t Template::highest_id() const {
  std::uint32_t highest = 0;
  for (const auto* specials : {&before_, &after_})
    for (const Special& special : *specials) highest = std::max(highest, special.id);
  return highest;
}

ModelInput Template::frame(std::span<const std::uint32_t> ids) const {
  ModelInput input;
  input.ids.reserve(ids.size() + added());
  const auto put = [&](std::uint32_t id, std::uint32_t type) {
    input.ids.push_back(id);
    input.types.push_back(type);
  };
  for (const Special& special : before_) put(special.id, special.type);
  for (const std::uint32_t id : ids) put(id, text_type_);
  for (const Special& special : after_) put(special.id, special.type);
  return input;
}

}  // namespace gatehouse::onnx
