// How much speaks for it that a text came from an output, as one number each for excerpts and for
// rewrites: 1 is just enough. How much is enough depends on the length of the text; the table was
// made from texts that came from outputs and texts that never did, by
// bench/provenance_calibrate.py, and measured on others: bench/provenance.md. Pure functions.
#pragma once

namespace gatehouse::provenance {

// The weight of what one output alone has; what all have weighs nothing.
inline constexpr double greatest_weight = 13.8155;  // ln 1,000,000

// What a rewrite is told by. Weights say how rare something is among all outputs.
struct RewriteSigns {
  double words = 0;         // of the text, or of the part of it that is looked at
  double shared_runs = 0;   // how many runs of three words it shares with the output
  double runs = 0;          // their weight
  double known_runs = 0;    // weight of all its runs that any output has
  double shared_words = 0;  // weight of the words that both have
  double text_words = 0;    // weight of its words
  double output_words = 0;  // weight of the output's words
};

// Weighted F1 of both bags of words.
double similarity_of(const RewriteSigns& signs);
double rewrite_score(const RewriteSigns& signs);

// `evidence`: weight of the runs that both have, what a turn of phrase has taken off.
double excerpt_score(double evidence, double words);

}  // namespace gatehouse::provenance
