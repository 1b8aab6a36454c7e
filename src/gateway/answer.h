// What both dialects share when they screen answers: filtering the strings of a JSON document in
// place, and the channels of a stream. Internal to gateway/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/dialect.h"

namespace gatehouse::gateway {

// Where a streamed text belongs: a choice (or content block), a tool call inside it (or -1), and
// the field it accumulates into.
struct ChannelKey {
  std::uint64_t choice = 0;
  std::int64_t tool = -1;
  std::string_view field;  // points to a constant
  friend auto operator<=>(const ChannelKey&, const ChannelKey&) = default;
};

// The open channels of one stream.
class Channels {
 public:
  Channels(const AnswerPlan& plan, AnswerFacts& facts) : plan_(plan), facts_(facts) {}

  // Feeds one delta; returns what may leave now.
  std::string feed(const ChannelKey& key, inspect::TextForm form, std::string_view text);
  // Ends channels; returns what they still held, in channel order, empty ones left out.
  std::vector<std::pair<ChannelKey, std::string>> finish_choice(std::uint64_t choice);
  std::vector<std::pair<ChannelKey, std::string>> finish_choices(std::uint64_t first,
                                                                 std::uint64_t last);
  std::vector<std::pair<ChannelKey, std::string>> finish_all();
  // A stream with more open texts than anybody's answer has: it is to be refused, and what is fed
  // of another one is dropped.
  bool too_many() const { return too_many_; }

 private:
  static constexpr std::size_t most_open = 4'096;
  using Open = std::map<ChannelKey, inspect::TextFilter>;
  Open::iterator close(Open::iterator channel,
                       std::vector<std::pair<ChannelKey, std::string>>& rest);
  const AnswerPlan& plan_;
  AnswerFacts& facts_;
  Open open_;
  bool too_many_ = false;
};

// Filters one string of an answer that stands alone; adds a splice when it changes. Appends to
// `leaves` what the client gets.
void filter_once(const AnswerPlan& plan, inspect::TextForm form, std::string_view text,
                 JsonSpan inside, std::vector<Splice>& edits, AnswerFacts& facts,
                 std::string* leaves = nullptr);
// The same for a JSON value that stands in the document itself (tool input): each value in it has
// its key as context.
void filter_value(const AnswerPlan& plan, std::string_view document, JsonSpan span,
                  std::vector<Splice>& edits, AnswerFacts& facts);

// A splice that replaces the inside of a JSON string by `text`, escaped.
Splice replace_string(JsonSpan inside, std::string_view text);

// A number that was read as the count of something; nullopt when it is not one.
std::optional<std::uint64_t> as_count(std::string_view number);

// True for text that can only be encoded bytes (base64 of some length).
bool looks_encoded(std::string_view text);

}  // namespace gatehouse::gateway
