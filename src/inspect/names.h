// Names of people and postal addresses (and, where asked for, places), found by what stands around
// them and by lists of names: name_text.h reads tokens, name_tagger.h says what each is, here they
// become spans.
//
// Two repairs first: up to two words between parts of one address belong to it, and a capitalised
// word behind a person's name to that, and a particle (van, de) inside one. Then a span is a
// maximal row of tokens of one kind that are joined by what may stand inside a name or an address,
// cut after `longest_span` tokens; each further token of the row is a span of its own. So what
// begins at a place depends on a bounded number of tokens around it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "inspect/detector.h"
#include "inspect/name_model.h"
#include "inspect/name_tagger.h"

namespace gatehouse::inspect {

struct NameSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  NameKind kind = NameKind::none;
  std::int32_t margin = 0;  // the surest token's
};

class NameDetector final : public Detector {
 public:
  static constexpr std::size_t longest_span = 16;  // tokens

  NameDetector(NameModel model, bool places);

  std::span<const Rule> rules() const override { return rules_; }
  std::size_t look_back() const override;
  std::size_t frontier(std::string_view text, std::size_t from) const override;
  void find(std::string_view text, std::size_t from, std::size_t to,
            std::vector<Match>& found) const override;

  // The same as find(), of every kind.
  void find_spans(std::string_view text, std::size_t from, std::size_t to,
                  std::vector<NameSpan>& found) const;
  std::vector<NameSpan> spans(std::string_view text) const;

 private:
  // `storage` has room for all words, or for many more than one span depends on.
  void find_spans(std::string_view text, std::size_t from, std::size_t to,
                  std::span<NameWord> storage, std::vector<NameSpan>& found) const;
  bool fills_hole(const NameWord& word) const;
  bool completes_name(std::span<NameWord> words, std::size_t at) const;
  NameKind kind(std::span<NameWord> words, std::size_t at) const;
  bool joined(std::span<NameWord> words, std::size_t first) const;
  bool begins(std::span<NameWord> words, std::size_t at, std::size_t& length) const;
  bool is_bare(std::string_view text, std::size_t from, std::size_t to) const;
  std::optional<std::size_t> open_from(std::string_view text, std::size_t from,
                                       std::span<NameWord> storage) const;
  std::size_t first_open(std::span<NameWord> words, std::size_t complete) const;

  NameModel model_;
  NameTagger tagger_;
  std::array<std::uint64_t, 5> small_words_;  // that addresses contain: Republic of the Congo
  std::vector<Rule> rules_;
};

// With the model compiled in.
std::unique_ptr<const Detector> builtin_name_detector();

}  // namespace gatehouse::inspect
