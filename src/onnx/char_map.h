// SentencePiece's compiled character map (`precompiled_charsmap` of tokenizer.json): a double-array
// trie from sequences of characters to what stands for them. Immutable; shared by all threads.
//
// Layout: u32 little endian, the bytes of the trie; the trie, u32 little endian each unit (the
// layout of darts-clone: bits 0-7 label, 8 whether a leaf follows, 9 and 10-31 the offset; a leaf's
// bits 0-30 are its value); then the texts, each ended by a zero byte, found by value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatehouse::onnx {

class CharMap {
 public:
  static Result<CharMap> parse(std::string_view bytes);

  // As the `tokenizers` library applies it: a grapheme of less than six bytes as a whole where it
  // begins with something in the map, else character by character.
  std::string apply(std::string_view text) const;

 private:
  // What stands for the shortest prefix of `text` that is in the map.
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace gatehouse::onnx
