// The regular expressions by which byte-level models cut a text, each as a function: no engine, no
// backtracking, linear time. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace gatehouse::onnx {

// The end of the match that begins at `at` < text.size(). Every text is cut without a gap.
using WordEnd = std::function<std::size_t(std::string_view text, std::size_t at)>;

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::size_t gpt2_word_end(std::string_view text, std::size_t at);

// The pattern written so in a file; empty for one that is not known.
WordEnd word_end_of(std::string_view regex);

}  // namespace gatehouse::onnx
