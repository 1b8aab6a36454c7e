// Whatever a tokenizer.json says, and whatever the text behind it (the first zero byte ends the
// file): tokens or a refusal, no crash. A file is mostly refused, so the same bytes are also put
// into a small one that is not, as its members.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "onnx/char_map.h"
#include "onnx/classifier.h"
#include "onnx/tokenizer.h"

using namespace gatehouse;
using nlohmann::json;

namespace {

void use(const json& file, std::string_view text) {
  const auto tokenizer =
      onnx::Tokenizer::parse(file.dump(-1, ' ', false, json::error_handler_t::replace));
  if (tokenizer) (void)tokenizer->frame(tokenizer->encode(text));
}

void use_as_part(const json& part, std::string_view text) {
  json file = {
      {"model",
       {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", {"a b"}}}}};
  for (const char* place : {"normalizer", "pre_tokenizer", "post_processor", "model"}) {
    json changed = file;
    changed[place] = part;
    use(changed, text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(all.find('\0'), all.size());
  const auto file = all.substr(0, end);
  const auto text = all.substr(std::min(end + 1, all.size()));
  if (const auto tokenizer = onnx::Tokenizer::parse(file)) {
    (void)tokenizer->frame(tokenizer->encode(text));
    (void)tokenizer->encode(file);
  }
  // Writing out and copying, done here alone, are recursive.
  const bool deep = std::ranges::count_if(file, [](char c) { return c == '[' || c == '{'; }) > 200;
  const json part = deep ? json() : json::parse(file, nullptr, false);
  if (part.is_object()) use_as_part(part, text.empty() ? "ab a B\u0301 \u00bd" : text);
  if (const auto map = onnx::CharMap::parse(file)) (void)map->apply(to_utf8(text));
  (void)onnx::parse_model_config(file);
  return 0;
}
