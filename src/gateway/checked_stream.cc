// See checked_stream.h.
#include "gateway/checked_stream.h"

#include <algorithm>

namespace gatehouse::gateway {

CheckedStream::CheckedStream(Exchange& exchange, JsonWalker& walker, inspect::Scanner& scanner,
                             inspect::FilterPlan filter, std::size_t max_event_bytes,
                             std::size_t max_answer_bytes)
    : exchange_(exchange),
      walker_(walker),
      scanner_(scanner),
      filter_(filter),
      hold_(hold_of(exchange)),
      // What filters held back may have come on top of an event.
      framer_(2 * max_event_bytes + 2 * inspect::TextFilter::max_holdback_bytes),
      max_answer_bytes_(max_answer_bytes) {}

bool CheckedStream::refuse(std::string why) {
  refusal_ = std::move(why);
  return false;
}

bool CheckedStream::feed(std::string_view events, std::string& out) {
  framer_.feed(events);
  while (true) {
    auto event = framer_.next();
    if (!event) return refuse("An event of the answer cannot be checked: " + event.error().message);
    if (!*event) break;
    if (!take(std::move(**event))) return false;
  }
  if (hold_ == Hold::sentence && !judge_beginning()) return false;
  if (hold_ != Hold::answer) release(out);
  return true;
}

bool CheckedStream::take(SseEvent event) {
  // The whole text stays here for the checks at its end, with what waits for them.
  came_bytes_ += event.raw.size();
  if (came_bytes_ > max_answer_bytes_)
    return refuse("The answer is longer than limits.answer_bytes, which is as much as is checked.");
  Held held{std::move(event), {}};
  if (held.event.has_data && held.event.data != "[DONE]") {
    auto texts = read_event(walker_, exchange_.dialect->kind(), held.event.data);
    if (!texts) return refuse("An event of the answer cannot be checked: " + texts.error().message);
    if (!settle_copies(*texts)) return false;
    book_.add(*texts);
    std::map<TextKey, std::size_t> later;  // bytes behind a piece in its own event
    for (auto piece = texts->pieces.rbegin(); piece != texts->pieces.rend(); ++piece) {
      auto& behind = later[piece->key];
      keys_.insert(piece->key);
      held.pieces.push_back({*piece, book_.text_of(piece->key).size() - behind, false});
      if (!piece->copy) behind += piece->text.size();
    }
    std::ranges::reverse(held.pieces);
  }
  queue_.push_back(std::move(held));
  return true;
}

// A copy without anything that it copies is the text itself; one that says something else is not
// passed on.
bool CheckedStream::settle_copies(DocumentTexts& texts) {
  for (auto& piece : texts.pieces) {
    auto& came = came_[piece.key];
    if (piece.copy && came.size == 0) piece.copy = false;
    if (!piece.copy) {
      came.size += piece.text.size();
      came.hash = CountedTexts::add(came.hash, piece.text);
    } else if (came.hash != CountedTexts::add(CountedTexts::nothing, piece.text)) {
      return refuse("The answer has a text twice, and not the same.");
    }
  }
  return true;
}

// Where sentences end that were not judged yet. A long text is looked at ever more seldom, so that
// all looks together take time in proportion to it.
std::map<TextKey, std::size_t> CheckedStream::new_sentence_ends() {
  std::map<TextKey, std::size_t> ends;
  for (const auto& choice : book_.answer().choices) {
    const TextKey key{choice.index, -1};
    auto& progress = progress_[key];
    if (choice.text.size() < progress.next_look) continue;
    progress.next_look = choice.text.size() + 1 + choice.text.size() / 16;
    const auto end = validate::last_sentence_end(choice.text);
    if (end > progress.judged) ends[key] = end;
  }
  return ends;
}

bool CheckedStream::judge_beginning() {
  const auto ends = new_sentence_ends();
  if (ends.empty()) return true;
  validate::Answer beginning;
  for (const auto& choice : book_.answer().choices) {
    const TextKey key{choice.index, -1};
    const auto found = ends.find(key);
    const auto end = found == ends.end() ? progress_[key].judged : found->second;
    beginning.choices.push_back({choice.index, choice.text.substr(0, end), {}});
  }
  return accept(run_checks(exchange_, scanner_, filter_, beginning, Moment::beginning), ends);
}

bool CheckedStream::accept(const CheckVerdict& verdict,
                           const std::map<TextKey, std::size_t>& ends) {
  if (verdict.refusal) {
    ask_again_ = verdict.ask_again;
    return refuse(*verdict.refusal);
  }
  for (const auto& [key, end] : ends) {
    const auto place = book_.place_of(key);
    if (!put(key, validate::text_at(verdict.answer, place), end)) return false;
  }
  return true;
}

// The pieces of a text that are held. Empty ones, with which a text begins, only where there are no
// others: not every client puts them together with the rest.
std::vector<CheckedStream::Piece*> CheckedStream::held_pieces(const TextKey& key) {
  std::vector<Piece*> pieces;
  std::vector<Piece*> empty;
  for (auto& held : queue_)
    for (auto& piece : held.pieces)
      if (piece.text.key == key && !piece.text.copy)
        (piece.text.text.empty() ? empty : pieces).push_back(&piece);
  return pieces.empty() ? empty : pieces;
}

// text[0, end) has passed as `checked`. Where that is another text, it takes the place of what is
// still held: the first piece gets it, the last one what follows.
bool CheckedStream::put(const TextKey& key, std::string_view checked, std::size_t end) {
  auto& text = book_.text_of(key);
  auto& progress = progress_[key];
  if (std::string_view(text).substr(0, end) == checked) {
    progress.judged = end;
    return true;
  }
  const auto released = progress.released;
  const auto pieces = held_pieces(key);
  const bool begins_alike =
      checked.size() >= released &&
      std::string_view(text).substr(0, released) == checked.substr(0, released);
  if (!begins_alike || pieces.empty())
    return refuse("What must be taken out of the answer has left already.");
  const std::string tail = text.substr(end);
  for (auto* piece : pieces) {
    piece->text.text.clear();
    piece->changed = true;
    piece->end = checked.size();
  }
  pieces.front()->text.text = checked.substr(released);
  pieces.back()->text.text += tail;
  pieces.back()->end = checked.size() + tail.size();
  text = std::string(checked) + tail;
  progress.judged = checked.size();
  return true;
}

bool CheckedStream::finish(std::string& out) {
  // What ended without its blank line.
  if (auto event = framer_.rest(); event && !take(std::move(*event))) return false;
  const auto verdict = run_checks(exchange_, scanner_, filter_, book_.answer(), Moment::end);
  std::map<TextKey, std::size_t> ends;
  for (const auto& key : keys_) ends[key] = book_.text_of(key).size();
  if (!accept(verdict, ends)) return false;
  for (auto& held : queue_) write(held, out);
  queue_.clear();
  return true;
}

void CheckedStream::release(std::string& out) {
  while (!queue_.empty()) {
    auto& held = queue_.front();
    const bool passed =
        hold_ == Hold::none || std::ranges::all_of(held.pieces, [this](const Piece& piece) {
          return piece.end <= progress_[piece.text.key].judged || piece.text.text.empty();
        });
    if (!passed) return;
    write(held, out);
    queue_.pop_front();
  }
}

void CheckedStream::write(Held& held, std::string& out) {
  std::vector<Splice> edits;
  for (const auto& piece : held.pieces) {
    auto& released = progress_[piece.text.key].released;
    released = std::max(released, piece.end);
    const auto& text = piece.text.copy ? book_.text_of(piece.text.key) : piece.text.text;
    if (piece.changed || text != piece.text.text) edits.push_back(replace_piece(piece.text, text));
  }
  if (edits.empty()) {
    out += held.event.raw;
  } else {
    append_event(out, held.event.name, apply_splices(held.event.data, std::move(edits)));
  }
}

void CheckedStream::note_sent() {
  for (auto& [key, progress] : progress_) progress.sent = progress.released;
}

validate::Answer CheckedStream::sent() const {
  validate::Answer answer;
  for (const auto& choice : book_.answer().choices) {
    const auto progress = progress_.find({choice.index, -1});
    const auto end = progress == progress_.end() ? 0 : progress->second.sent;
    answer.choices.push_back({choice.index, choice.text.substr(0, end), {}});
  }
  return answer;
}

std::string CheckedStream::whole_text() const {
  std::string text;
  for (const auto& place : validate::places_of(book_.answer()))
    text += std::string(validate::text_at(book_.answer(), place)) + "\n";
  return text;
}

}  // namespace gatehouse::gateway
