// Rows of words that a dictionary has, in whole texts and in streams. At each word that passes the
// filter up to six rows are looked up; most text costs one short hash a word.
#include <algorithm>

#include "inspect/dictionary.h"
#include "inspect/dictionary_words.h"

namespace gatehouse::inspect {
namespace {

// No row that begins before this much text from the end can reach it.
constexpr std::size_t widest_row =
    most_bytes_of_value + most_words_of_value * (most_bytes_between + 1) + most_bytes_of_word;

class DictionaryDetector final : public PlainDetector {
 public:
  explicit DictionaryDetector(std::shared_ptr<const Dictionary> dictionary)
      : dictionary_(std::move(dictionary)) {}

  std::span<const Rule> rules() const override { return {&dictionary_->rule(), 1}; }
  std::size_t look_back() const override { return 1; }

  std::size_t frontier(std::string_view text, std::size_t from) const override {
    std::size_t at = std::max(from, text.size() - std::min(text.size(), widest_row));
    for (at = first_word(text, at); at < text.size(); at = first_word(text, end_of_run(text, at)))
      if (walk(text, at, nullptr)) return at;
    return text.size();
  }

  void find(std::string_view text, std::size_t from, std::size_t to,
            std::vector<Match>& found) const override {
    for (std::size_t at = first_word(text, from); at < to;
         at = first_word(text, end_of_run(text, at)))
      walk(text, at, &found);
  }

 private:
  // The first position at or after `at` where a word begins.
  static std::size_t first_word(std::string_view text, std::size_t at) {
    if (at > 0 && at < text.size() && is_word_byte(text[at - 1])) at = end_of_run(text, at);
    while (at < text.size() && !is_word_byte(text[at])) ++at;
    return at;
  }
  static std::size_t end_of_run(std::string_view text, std::size_t at) {
    while (at < text.size() && is_word_byte(text[at])) ++at;
    return at;
  }

  // Looks up the rows that begin at `at`. Whether more text could make or change one.
  bool walk(std::string_view text, std::size_t at, std::vector<Match>* found) const {
    NormalRow row;
    for (std::size_t next = at; row.words() < dictionary_->most_words();) {
      const Word word = word_at(text, next);
      const std::size_t before = row.text().size();
      if (!row.append(text, word)) return false;
      const bool open = word.end == text.size();
      if (before == 0 && !passes(row.text(), open)) return false;
      if (found != nullptr && dictionary_->contains(row.text()))
        found->push_back({0, at, word.end, dictionary_->rule().p_value, View::plain});
      if (open) return true;
      const Gap gap = gap_at(text, word.end);
      if (gap.open) return row.words() < dictionary_->most_words();
      if (gap.next == word.end) return false;
      next = gap.next;
    }
    return false;
  }

  // A word that may go on passes as long as it is not known.
  bool passes(std::string_view first, bool open) const {
    return open || dictionary_->may_begin_with(prefix_of(first));
  }

  std::shared_ptr<const Dictionary> dictionary_;
};

}  // namespace

std::unique_ptr<const Detector> make_dictionary_detector(std::shared_ptr<const Dictionary> all) {
  return std::make_unique<DictionaryDetector>(std::move(all));
}

}  // namespace gatehouse::inspect
