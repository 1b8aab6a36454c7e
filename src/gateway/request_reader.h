// What both dialects share when they read a request: collecting channels, and what must be the same
// for everybody who reads the body after us. Internal to gateway/.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

class RequestReader : public JsonVisitor {
 public:
  // `turns`: the member that has the turns of the conversation.
  explicit RequestReader(Exchange& exchange, std::string_view turns = "messages")
      : exchange_(exchange), turns_(turns) {}

  void on_string(Path path, std::string_view text, JsonSpan inside) override;
  void on_number(Path path, std::string_view text, JsonSpan span) override;
  void on_bool(Path path, bool value, JsonSpan span) override;
  void on_key(Path object, std::string_view key, JsonSpan inside) override;
  void on_object(Path path, std::size_t begin) override;
  void on_container(Path path, JsonSpan span) override;

  // After the walk: the problems a caller must hear about.
  Result<void> finish() const;

 protected:
  // What this dialect says about the string at `path`.
  virtual TextRole role_of(Path path, std::string_view text) = 0;
  // Whether the value at `path` is inspected whole, as JSON, when it is an object or an array.
  virtual bool is_whole_value(Path) const { return false; }
  // Who speaks in the turn under way; of two, the least is believed.
  void note_speaker(Source speaker);
  Exchange& exchange_;

 private:
  void add(JsonSpan inside, std::string_view text, TextRole role, bool is_number);
  bool is_covered(Path path) const;
  void note_who_speaks(Path path, std::string_view text);
  bool is_content(Path path) const;
  void settle_source(std::size_t first, Source source);
  void note_tool(Path path, std::string_view text);
  void note_wish(Path path, std::string_view number);
  void refuse_wish(Path path);
  void refuse(std::string problem);

  std::string_view turns_;
  std::size_t models_seen_ = 0;
  // The message and the block of its content under way: where their channels begin, and whose words
  // they are.
  std::size_t message_begin_ = 0;
  std::size_t block_begin_ = 0;
  Source speaker_ = Source::none;
  bool block_is_data_ = false;
  std::vector<std::size_t> unsettled_;  // channels of content whose source is not known yet
  std::string problem_;                 // the first one
};

// "data:image/png;base64,…": a URL that is its own content.
bool is_data_url(std::string_view text);

// The role of a member whose business it is to have encoded bytes: not inspected when it can only
// be that, a data: URL or bare.
TextRole role_of_encoded(std::string_view text);

}  // namespace gatehouse::gateway
