// The part of an AnswerStream that does not depend on the dialect: framing, the open channels, and
// writing events that were or were not changed. Internal to gateway/.
//
// Invariants
//   1. An event leaves whole or not at all; one nobody had a reason to change leaves byte for byte.
//   2. Text that a filter still holds leaves before the event that ends its channel, or in it.
//   3. What was read of an event is not looked at after another document was walked; so nothing
//      that writes events walks one.
//   4. After the dialect's last event nothing leaves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/answer.h"
#include "gateway/dialect.h"

namespace gatehouse::gateway {

class StreamScreen : public AnswerStream {
 public:
  explicit StreamScreen(const AnswerPlan& plan);

  Result<void> feed(std::string_view bytes, std::string& out) final;
  Result<void> finish(std::string& out) final;
  void close() final { (void)channels_.finish_all(); }
  bool complete() const final { return complete_ || ended_; }
  bool ended() const final { return ended_; }
  const AnswerFacts& facts() const final { return facts_; }

 protected:
  // One event with data. `event.data` may get more capacity.
  virtual Result<void> on_event(SseEvent& event, std::string& out) = 0;
  // Writes an event of the gateway's own that carries the rest of a channel.
  virtual void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) = 0;

  // Which choice's content a channel is part of, if it is.
  virtual std::optional<std::uint64_t> content_of(const ChannelKey& key) const = 0;
  // What leaves of a channel, in the order in which it does.
  void note_content(const ChannelKey& key, std::string_view text);

  // A delta of the event under way, and what of its channel may leave with it.
  struct Outgoing {
    ChannelKey key;
    std::string_view before;
    JsonSpan inside;
    std::string text;
  };
  using Rest = std::vector<std::pair<ChannelKey, std::string>>;

  // What channels still held leaves with the event that ends them: in its own delta of the same
  // channel, or in an event before it.
  void add_rest(const Rest& rest, std::vector<Outgoing>& outgoing, std::string& out);
  // Adds the deltas that changed to `edits`; true when there were some.
  static bool add_edits(const std::vector<Outgoing>& outgoing, std::vector<Splice>& edits);
  void flush_all(std::string& out);
  void emit_edited(const SseEvent& event, std::vector<Splice> edits, std::string& out);

  AnswerPlan plan_;
  AnswerFacts facts_;
  Channels channels_;
  bool complete_ = false;  // nothing is missing if the upstream ends here
  bool ended_ = false;

 private:
  Result<void> take(SseEvent& event, std::string& out);
  SseFramer framer_;
};

}  // namespace gatehouse::gateway
