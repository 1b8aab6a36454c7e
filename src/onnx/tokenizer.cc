// See tokenizer.h.
#include "onnx/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "onnx/added_tokens.h"
#include "onnx/json_fields.h"
#include "onnx/model.h"
#include "onnx/normalizer.h"
#include "onnx/pre_tokenizer.h"

namespace gatehouse::onnx {

using nlohmann::json;

struct Tokenizer::Impl {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<Model> model;
  AddedTokens added;
  Template framing;
  std::uint32_t padding = 0;
  std::uint32_t highest = 0;

  std::optional<std::uint32_t> id_of(std::string_view token) const {
    const auto own = added.find(token);
    return own ? own : model->vocabulary().find(token);
  }
};

namespace {

const json& member(const json& object, const char* key) {
  static const json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::uint32_t padding_of(const json& document, const Tokenizer::Impl& impl) {
  const json& padding = member(document, "padding");
  if (padding.is_object() && member(padding, "pad_id").is_number_unsigned() &&
      padding["pad_id"].get<std::uint64_t>() <= 0x7fffffff)
    return padding["pad_id"].get<std::uint32_t>();
  const auto brackets = impl.id_of("[PAD]");
  return brackets ? *brackets : impl.id_of("<pad>").value_or(0);
}

std::uint32_t highest_of(const Tokenizer::Impl& impl) {
  std::uint32_t highest = std::max(impl.padding, impl.framing.highest_id());
  for (const auto* ids : {&impl.model->vocabulary().ids(), &impl.added.ids()})
    for (const auto& [token, id] : *ids) highest = std::max(highest, id);
  return highest;
}

Result<void> read_document(const json& document, Tokenizer::Impl& impl) {
  JsonFields fields(document, "tokenizer");
  // Windows are cut by the caller, one text is asked about at a time, and nothing is decoded.
  for (const char* key : {"version", "truncation", "padding", "decoder", "normalizer",
                          "pre_tokenizer", "model", "added_tokens", "post_processor"})
    fields.ignore(key);
  GH_TRY(fields.finish());
  GH_ASSIGN(impl.normalizer, Normalizer::parse(member(document, "normalizer")));
  GH_ASSIGN(impl.pre_tokenizer, PreTokenizer::parse(member(document, "pre_tokenizer")));
  if (impl.pre_tokenizer.looks_for_the_beginning() && impl.normalizer.may_drop_the_beginning())
    return fail(ErrorCode::invalid_argument,
                "pre_tokenizer: \"prepend_scheme\": \"first\" is not supported together with a "
                "normalizer that may take away the beginning of a text");
  GH_ASSIGN(impl.model, parse_model(member(document, "model")));
  GH_ASSIGN(impl.added,
            AddedTokens::parse(member(document, "added_tokens"), impl.normalizer, *impl.model));
  const auto id_of = [&](std::string_view token) { return impl.id_of(token); };
  GH_ASSIGN(impl.framing, Template::parse(member(document, "post_processor"), id_of));
  impl.padding = padding_of(document, impl);
  impl.highest = highest_of(impl);
  return {};
}

}  // namespace

Result<Tokenizer> Tokenizer::parse(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail(ErrorCode::invalid_argument, "not JSON");
  auto impl = std::make_shared<Impl>();
  GH_TRY(read_document(document, *impl));
  return Tokenizer(std::move(impl));
}

std::vector<std::uint32_t> Tokenizer::encode(std::string_view text) const {
  const bool well_formed = is_utf8(text);
  const std::string mended = well_formed ? std::string() : to_utf8(text);
  auto pieces = impl_->added.cut(well_formed ? text : mended, impl_->normalizer);
  impl_->pre_tokenizer.apply(pieces);
  Ids ids;
  for (const Piece& piece : pieces) {
    if (piece.token) {
      ids.push_back(*piece.token);
    } else if (!piece.text.empty()) {
      impl_->model->tokenize(piece.text, ids);
    }
  }
  return ids;
}

ModelInput Tokenizer::frame(std::span<const std::uint32_t> ids) const {
  return impl_->framing.frame(ids);
}

std::size_t Tokenizer::framing_tokens() const {
  return impl_->framing.added();
}

std::uint32_t Tokenizer::highest_id() const {
  return impl_->highest;
}

std::uint32_t Tokenizer::padding_id() const {
  return impl_->padding;
}

}  // namespace gatehouse::onnx
