// The part of an AnswerStream that does not depend on the dialect: framing, the open channels, and
// writing events that were or were not changed. Internal to gateway/.
//
// Invariants
//   1. An event leaves whole or not at all; one nobody had a reason to change leaves byte for byte.
//   2. Text that a filter still holds leaves before the event that ends its channel.
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
  bool complete() const final { return complete_ || ended_; }
  bool ended() const final { return ended_; }
  const AnswerFacts& facts() const final { return facts_; }

 protected:
  // One event with data. `event.data` may get more capacity.
  virtual Result<void> on_event(SseEvent& event, std::string& out) = 0;
  // Writes an event of the gateway's own that carries the rest of a channel.
  virtual void emit_rest(const ChannelKey& key, std::string_view text, std::string& out) = 0;

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
