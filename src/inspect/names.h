// Names of people and postal addresses (and, where asked for, places), found by what stands around
// them and by lists of names: name_text.h reads tokens, name_tagger.h says what each is, here they
// become spans.
//
// Repairs first: up to two words between parts of one address belong to it, and a postcode right
// behind one; a capitalised word behind a person's name to that, a suffix (Jr), and a particle
// (van, de) inside one. Then a span is a maximal row of tokens of one kind that are joined by what
// may stand inside a name or an address, cut after `longest_span` tokens; each further token of the
// row is a span of its own. So what begins at a place depends on a bounded number of tokens around
// it: a reader keeps that many, and reads every token once.
#pragma once

#include <memory>
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
  std::unique_ptr<Memory> memory() const override;
  std::unique_ptr<TextReader> reader(Memory* memory) const override;

  // All of a whole text, of every kind.
  std::vector<NameSpan> spans(std::string_view text) const;

 private:
  friend class NameReader;

  NameModel model_;
  NameTagger tagger_;
  std::array<std::uint64_t, 5> small_words_;  // that addresses contain: Republic of the Congo
  std::vector<Rule> rules_;
};

// Invariants
//   1. words_ are the tokens from some before the first undecided one on, as many as a span that
//      begins there depends on, or all. The first complete_ of them stay whatever follows.
//   2. What begins at the first decided_ of them is in found_, or was taken from there.
//   3. What is read next, at at_, begins at most longest_gap bytes before the frontier.
class NameReader final : public TextReader {
 public:
  NameReader(const NameDetector& detector, WordMemory& memory)
      : detector_(detector), memory_(memory) {}

  void restart() override;
  std::size_t frontier(std::string_view text, std::size_t base, std::size_t from) override;
  void find(std::string_view text, std::size_t base, std::size_t from, std::size_t to,
            std::vector<Match>& found) override;

  // As find() up to the end of the text, of every kind.
  std::span<const NameSpan> find_rest(std::string_view text, std::size_t base);

 private:
  void advance(std::string_view text, std::size_t base, bool last);
  bool read(std::string_view text, std::size_t base);
  void pass_wall(std::string_view text, std::size_t base);
  void settle(std::string_view text, std::size_t base);
  std::size_t first_open();
  void decide(std::size_t limit);
  void forget();
  bool fills_hole(const NameWord& word) const;
  bool completes_name(std::size_t at);
  bool completes_address(std::size_t at);
  NameKind tagged(std::size_t at) { return detector_.tagger_.kind(words_, at); }
  NameKind kind(std::size_t at);
  bool joined(std::size_t first);
  bool begins(std::size_t at, std::size_t& length);

  const NameDetector& detector_;
  WordMemory& memory_;
  std::vector<NameWord> words_;  // all positions here count from the beginning of the text
  std::size_t complete_ = 0;
  std::size_t decided_ = 0;
  std::size_t at_ = 0;        // where reading goes on: behind the last complete token, or in a wall
  bool behind_wall_ = false;  // what was read before that is one
  std::size_t open_ = 0;      // the frontier
  std::vector<NameSpan> found_;
  std::size_t taken_ = 0;  // of them
};

// With the model compiled in.
std::unique_ptr<const Detector> builtin_name_detector();

}  // namespace gatehouse::inspect
