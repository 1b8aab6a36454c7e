// Visits every key and every leaf of a JSON document with its path and its position in the
// document's bytes, so that a dialect can say which texts are channels and what is put where.
// Every value is visited, hence validated; duplicate keys are all seen. simdjson does the parsing.
// One JsonWalker a thread (it keeps the parser's buffers).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace gatehouse::gateway {

// One step from the root: a member of an object or an item of an array.
struct Step {
  std::string_view key;       // decoded; empty for an item
  std::size_t index = 0;      // of the item
  std::size_t key_begin = 0;  // position of the key's opening quote
  bool is_item = false;
};

using Path = std::span<const Step>;

// True when the path is exactly these keys; "*" stands for any item of an array.
bool path_is(Path path, std::initializer_list<std::string_view> keys);
// True when the path begins so.
bool path_begins(Path path, std::initializer_list<std::string_view> keys);
// The last key on the path ("" when there is none): of messages[0].content[1], "content".
std::string_view last_key(Path path);

class JsonVisitor {
 public:
  virtual ~JsonVisitor() = default;
  // `text` is decoded and valid until the next walk; `inside` excludes the quotes.
  virtual void on_string(Path path, std::string_view text, JsonSpan inside) = 0;
  virtual void on_number(Path path, std::string_view text, JsonSpan span) = 0;
  virtual void on_bool(Path, bool, JsonSpan) {}
  virtual void on_null(Path, JsonSpan) {}
  virtual void on_key(Path object, std::string_view key, JsonSpan inside) {
    (void)object, (void)key, (void)inside;
  }
  virtual void on_object(Path, std::size_t begin) { (void)begin; }
  // An object or array, once all that stands in it was visited; not the document itself.
  virtual void on_container(Path, JsonSpan span) { (void)span; }
};

class JsonWalker {
 public:
  static constexpr std::size_t max_depth = 64;

  JsonWalker();
  ~JsonWalker();
  JsonWalker(JsonWalker&&) noexcept;

  // `document` must be one JSON object. Its capacity may be enlarged, its bytes stay. The error
  // names the position.
  Result<void> walk(std::string& document, JsonVisitor& visitor);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Removes the member whose key begins at `key_begin` and whose value ends at `value_end`, with the
// comma that belongs to it.
Splice remove_member(std::string_view document, std::size_t key_begin, std::size_t value_end);

}  // namespace gatehouse::gateway
