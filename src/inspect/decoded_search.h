// Searches what is decoded from a text, and what is decoded from that, three deep.
//
//   text ─▶ segments ─▶ one joined text ─▶ one search ─▶ each part by itself
//                                                └─▶ segments of the parts: the next layer
//
// A part is one segment behind what stands before it in the text around it, for rules that want to
// see that. Parts are many and small where somebody wants them to be, so nothing is done for each
// part that can be done for all: their memory, and the search for places where rules may match.
//
// Invariants
//   1. What is found in a part depends on the part and its context alone, not on the other parts.
//   2. A layer's joined text is at most `full` bytes and one part; then it is searched.
// Lives on the thread of its scanner, which must outlive it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/fold.h"
#include "inspect/scanner.h"
#include "inspect/segments.h"

namespace gatehouse::inspect {

class DecodedSearch {
 public:
  // How many encodings deep.
  static constexpr std::size_t deepest = 3;

  explicit DecodedSearch(Scanner::Impl& scanner) : scanner_(scanner) {}

  // Something found: in the text around a part, folded, or of hidden characters: in the source.
  struct Found {
    Match match;
    bool in_source = false;
  };

  // Begins with a text's segments. `which`: what is looked for.
  void begin(Categories which);
  // Where the lexers put what is decoded from the text.
  SegmentList& segments() { return layers_[0].segments; }
  // Takes in those segments that are new and that `wanted` wants, by their place. `text` is what
  // they stand in, from position `base` on.
  template <class Wanted>
  void take(std::string_view text, std::size_t base, const Wanted& wanted) {
    take_new(layers_[0], [&](const Segment& segment) {
      const Span place = layers_[0].segments.source_of(segment, 0, segment.size);
      if (wanted(place)) add(layers_[0], 0, segment, text.substr(0, segment.begin - base));
    });
  }
  // Takes in what a run of hidden characters spells, which stands behind `before`.
  void take_hidden(const HiddenRun& run, std::string_view before) {
    add_hidden(layers_[0], 0, run, before);
  }
  bool is_full() const { return layers_[0].joined.size() >= full; }
  // Searches what was taken, and forgets it.
  void search(std::vector<Found>& found);

 private:
  static constexpr std::size_t full = 128u << 10;

  struct Part {
    std::size_t parent = 0;  // in the layer above
    Segment segment;
    std::size_t begin = 0;  // in the joined text: of its context
    std::size_t first = 0;  // of the decoded text, folded
    std::size_t end = 0;
    std::size_t fold = no_fold;  // in Layer::folds
  };
  struct PartMatch {
    std::size_t part = 0;
    Match match;  // positions in the part, not folded
  };
  struct Layer {
    SegmentList segments;
    std::size_t taken = 0;  // of them
    std::vector<Part> parts;
    std::string joined;
    std::vector<FoldedText> folds;  // of those parts that folding changes; reused
    std::size_t folds_used = 0;
    std::vector<PartMatch> matches;
    RunLexer runs;
    SpacedLexer spaced;
  };
  static constexpr std::size_t no_fold = static_cast<std::size_t>(-1);

  template <class Each>
  static void take_new(Layer& layer, const Each& each) {
    while (layer.taken < layer.segments.items().size())
      each(Segment(layer.segments.items()[layer.taken++]));
  }
  void add(Layer& layer, std::size_t parent, const Segment& segment, std::string_view before);
  void add_hidden(Layer& layer, std::size_t parent, const HiddenRun& run, std::string_view before);
  void search_layer(std::size_t depth, std::vector<Found>& found);
  void match_rules(Layer& layer);
  void match_rule(Layer& layer, std::uint32_t rule);
  void read_digit_groups(Layer& layer, Layer& inner);
  void read_encoded(Layer& layer, std::size_t part, Layer& inner);
  void read_hidden(Layer& layer, std::size_t part, Layer* inner);
  void ask_detectors(Layer& layer, std::size_t part);
  static void add_match(Layer& layer, std::size_t part, Match match);
  void choose(std::size_t depth, std::vector<Found>& found);
  void report(std::size_t depth, const Part& part, Match match, std::vector<Found>& found);
  static Span unfolded(const Layer& layer, const Part& part, Span folded);
  static void clear(Layer& layer);
  static std::string_view view(const Layer& layer, const Part& part) {
    return std::string_view(layer.joined).substr(part.begin, part.end - part.begin);
  }

  Scanner::Impl& scanner_;
  Categories which_;
  std::array<Layer, deepest> layers_;
  std::vector<std::unique_ptr<TextReader>> readers_;  // by detector; made when first wanted
};

}  // namespace gatehouse::inspect
