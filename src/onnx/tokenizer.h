// A Hugging Face tokenizer.json, as far as sequence classifiers need it: a text becomes the numbers
// a model was trained with, the same ones that the `tokenizers` library gives (tests/onnx
// compares).
//
// Promises
//   1. What a file asks for and this cannot do refuses the file, by name.
//   2. Any bytes are a text: what is not UTF-8 is read as U+FFFD.
//   3. Time is linear in the text, or n log n; a file's own limits are checked when it is read.
//   4. Special tokens written out in a text are text (added_tokens.h).
// Immutable; shared by all threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "onnx/template.h"

namespace gatehouse::onnx {

class Tokenizer {
 public:
  static Result<Tokenizer> parse(std::string_view json);

  // The tokens of the text alone.
  std::vector<std::uint32_t> encode(std::string_view text) const;

  // A window of them as the model wants it, special tokens around it.
  ModelInput frame(std::span<const std::uint32_t> ids) const;
  std::size_t framing_tokens() const;  // how many those are

  std::uint32_t highest_id() const;  // that encode() or frame() can give

  // Of `padding`, or of the token [PAD] or <pad>; 0 where there is none.
  std::uint32_t padding_id() const;

  struct Impl;

 private:
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace gatehouse::onnx
