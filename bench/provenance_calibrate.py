#!/usr/bin/env python3
"""Sets the scores of src/provenance/score.cc from what provenance_speed wrote about the texts that thresholds may be
set with. Prints score_table.inc, and on stderr how it fares on the same texts. Needs numpy.

  bench/provenance_calibrate.py FEATURES > src/provenance/score_table.inc
"""
import collections
import sys

import numpy

# Words, and where more is possible than REWRITE_FALSE asks for: the threshold is raised until so many rewrites with
# 40 % of their words replaced are still found, since then fewer answers of others to the same question are taken
# for rewrites.
LENGTHS = ((25, None), (50, None), (70, None), (100, 0.95), (140, 0.97), (200, 0.97), (400, 0.97))
# Of texts that never came from here, and are no excerpts, so many may count as rewrites.
REWRITE_FALSE = 0.006
# Excerpts: what is enough for a text of so many words, and so much more for each doubling behind the last. A short
# text has less by chance.
EVIDENCE = ((25, 50), (50, 75), (100, 85), (200, 85))
EVIDENCE_A_DOUBLING = 15
LONG = (1_000, 4_000, 20_000)


def read(path):
    rows = collections.OrderedDict()
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, question, is_target, *values = line.rstrip("\n").split("\t")
            rows.setdefault((name, is_target == "1"), {}).setdefault(question, []).append(
                [float(value) for value in values])
    return {row: [features(numpy.array(own)) for own in asked.values()] for row, asked in rows.items()}


def features(values):
    """As in score.cc. Columns: words, evidence, shared runs, runs, known runs, shared words, text, output."""
    words, evidence, shared_runs, runs, known_runs, shared, text, output = values.T
    length = numpy.log(numpy.maximum(words, 3) / 100)
    share = numpy.log1p(10 * runs / numpy.maximum(words, 30))
    kept = shared / numpy.maximum(text, 1e-9)
    similarity = 2 * shared / numpy.maximum(text + output, 1e-9)
    many = numpy.log1p(shared_runs)
    return numpy.stack([numpy.ones_like(words), share, kept, similarity, length, share * length, kept * length,
                        similarity * length, length * length, runs / numpy.maximum(known_runs, 1.5 * words), many,
                        numpy.log1p(runs / numpy.maximum(shared_runs, 1)), many * length], 1), words, evidence


def weight_of(row):
    name, is_target = row
    if "inside" in name or "16 words" in name:
        return 0
    return 1 if is_target or "sibling" not in name else 1.5


def regression(inputs, results, weights):
    mean, spread = inputs.mean(0), inputs.std(0) + 1e-9
    mean[0], spread[0] = 0, 1
    scaled = (inputs - mean) / spread
    found = numpy.zeros(scaled.shape[1])
    for _ in range(40):
        chance = 1 / (1 + numpy.exp(-numpy.clip(scaled @ found, -30, 30)))
        slope = scaled.T @ (weights * (results - chance)) - found
        curve = (scaled * (weights * chance * (1 - chance))[:, None]).T @ scaled + numpy.eye(len(found))
        found += numpy.linalg.solve(curve, slope)
    own = found / spread
    own[0] = found[0] - (found[1:] * mean[1:] / spread[1:]).sum()
    return own


def fit(rows):
    """Of each text the output that looks most like a source, by the weights so far."""
    weights = numpy.zeros(13)
    weights[1] = weights[3] = 1
    for _ in range(8):
        inputs, results, importance = [], [], []
        for row, asked in rows.items():
            if weight_of(row) == 0:
                continue
            for values, _, _ in asked:
                inputs.append(values[numpy.argmax(values @ weights)])
                results.append(float(row[1]))
                importance.append(weight_of(row))
        weights = regression(numpy.array(inputs), numpy.array(results), numpy.array(importance))
    return weights


def best_of(rows, weights, wanted):
    """Of each text of the wanted rows: words, score, evidence."""
    return numpy.array([(words[0], (values @ weights).max(), evidence.max())
                        for row, asked in rows.items() if wanted(*row) for values, words, evidence in asked])


def near(scores, length):
    """Those of texts that are at most half a doubling shorter or longer."""
    return scores[abs(numpy.log2(numpy.maximum(scores[:, 0], 1) / length)) <= 0.5]


def evidence_for(length):
    words, enough = zip(*EVIDENCE)
    between = numpy.interp(numpy.log2(length), numpy.log2(words), enough)
    return between + EVIDENCE_A_DOUBLING * max(0, numpy.log2(length / words[-1]))


def main():
    rows = read(sys.argv[1])
    weights = fit(rows)
    strangers = best_of(rows, weights, lambda name, is_target: not is_target and "sibling" not in name)
    siblings = best_of(rows, weights, lambda name, is_target: "sibling answers," in name)
    replaced = best_of(rows, weights, lambda name, is_target: is_target and "40 %" in name and "replaced" in name)
    changed = best_of(rows, weights, lambda name, is_target: is_target and "40 %" in name and "changed" in name)
    print("// Made by bench/provenance_calibrate.py; see score.cc.")
    print("constexpr std::array<double, features> rewrite_weights{")
    print(",\n".join(f"    {weight:.4f}" for weight in weights) + ",\n};")
    print("constexpr Enough enough[] = {")
    for length, wanted in LENGTHS:
        own = near(strangers, length)
        rest = own[own[:, 2] < evidence_for(length)]
        least = numpy.quantile(rest[:, 1], 1 - REWRITE_FALSE)
        if wanted:
            least = max(least, numpy.quantile(near(replaced, length)[:, 1], 1 - wanted))
        print(f"    {{.words = {length}, .evidence = {evidence_for(length):.0f}, .rewrite = {least:.2f}}},")
        shares = [f"{name} {100 * (near(scores, length)[:, 1] >= least).mean():.1f} % of {len(near(scores, length))}"
                  for name, scores in (("strangers", rest), ("siblings", siblings), ("replaced", replaced),
                                       ("changed", changed)) if len(near(scores, length))]
        excerpts = 100 * (own[:, 2] >= evidence_for(length)).mean()
        print(length, "words:", *shares, f"strangers that are excerpts {excerpts:.1f} %", sep="  ", file=sys.stderr)
    for length in LONG:
        print(f"    {{.words = {length}, .evidence = {evidence_for(length):.0f}, .rewrite = {least:.2f}}},")
    print("};")


if __name__ == "__main__":
    main()
