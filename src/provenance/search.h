// Which outputs a text came from. Two ways at once:
//
//   excerpts   outputs that share shingles with the text. Rare ones weigh more: a phrase that a
//              thousand outputs have says little about any of them. Neighbours count together, and
//              of each run of them only what goes beyond a turn of phrase.
//   rewrites   outputs that share many shingles or words (the greatest sums of weights, BM25
//   without
//              a term for length), then compared closely: how much of both bags of words is the
//              same, and how much of what is known of the text's runs this one output has.
//
// What counts as enough is in score.h.
//
// Pure: what is searched is given and does not change meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "provenance/score.h"
#include "provenance/segment.h"

namespace gatehouse::provenance {

enum class MatchKind : std::uint8_t {
  excerpt,  // the same words in a row
  rewrite,  // many of the same words
};
std::string_view to_string(MatchKind kind);

struct Match {
  EntryId entry{};
  std::uint16_t choice = 0;
  std::string model;
  WallTime time;
  std::uint32_t words = 0;  // of the output
  MatchKind kind = MatchKind::excerpt;
  double covered = 0;     // share of the text whose words stand in the output, in the same order
  double of_output = 0;   // share of the output that stands in the text that way
  double similarity = 0;  // weighted F1 of the words, 0 to 1
  double score = 0;       // 1 is just enough
  double evidence = 0;    // of an excerpt: see score.h
  RewriteSigns signs;     // of a rewrite; all zero where it was not looked at
};

struct Found {
  std::uint32_t words = 0;     // of the text
  double covered = 0;          // share of it that stands in any of the outputs below
  std::vector<Match> matches;  // the best first
};

struct SearchOptions {
  std::size_t most_matches = 10;
  std::size_t most_words = 20'000;  // of the text; what comes after is not looked at
  WallTime not_before;              // older outputs are left out
  double least_score = 1;           // of a match; for measuring
};

struct Searched {
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<std::shared_ptr<const Output>> recent;  // not in a segment yet
};

Found search(const Question& question, const Searched& in, const SearchOptions& options);

}  // namespace gatehouse::provenance
