#!/usr/bin/env python3
"""Real texts for bench/provenance, one a line, cut into those that are indexed and those that never are.

  bench/provenance_texts.py OUT ALPACA_EVAL REPOSITORY... [--descriptions Translation-en]

ALPACA_EVAL and each REPOSITORY are git repositories (bare ones too). Writes into OUT:

  indexed.txt    answers of models, and passages of documents: what the index is asked for later
  negatives.txt  document  passages of documents that are not indexed
                 answer    answers to questions no answer to which is indexed or in the pool
                 sibling   answers of other models to questions that indexed answers answer too
                 quoting   the same, those that share a run of 16 words with something that is indexed
  pool.txt       sentences from which the rest of the index is put together

A line is KIND <tab> HALF <tab> TEXT. HALF says whether thresholds may be set with the text (calibrate) or
figures be reported on it (report): all answers to a question are in the same half, and all passages of a
document. No sentence of a file stands in another of the three. Documents and answers to unseen questions that
share a run of 16 words with something that is indexed are left out: such a text did come from here.
"""
import argparse
import hashlib
import json
import pathlib
import random
import re
import subprocess

RUN = 16
PASSAGE_WORDS = 200


def show(repository, path):
    """Empty where a partial copy of a repository does not have the file."""
    return subprocess.run(["git", "-C", repository, "show", f"HEAD:{path}"],
                          capture_output=True, check=False).stdout


def files_of(repository):
    listed = subprocess.run(["git", "-C", repository, "ls-tree", "-r", "--name-only", "-z", "HEAD"],
                            capture_output=True, check=True).stdout
    return [name for name in listed.decode("utf-8", "replace").split("\0") if name]


def bucket(text, count):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % count


def one_line(text):
    return " ".join(text.split())


def words_of(text):
    return re.findall(r"\w+", text.lower())


def paragraphs_of(text):
    """Prose only: no code, no tables, no headings."""
    for block in re.split(r"\n\s*\n", text):
        line = one_line(block)
        letters = sum(c.isalpha() or c == " " for c in line)
        if len(line) > 120 and letters > 0.85 * len(line) and not block.startswith(("    ", "\t", "|")):
            yield line


def sentences_of(text):
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text):
        if 5 <= len(sentence.split()) <= 60:
            yield sentence


def documents(repositories):
    for repository in repositories:
        for name in files_of(repository):
            if re.search(r"\.(md|rst|txt|markdown|mediawiki|adoc)$", name):
                yield f"{repository}:{name}", show(repository, name).decode("utf-8", "replace")


def answers(repository):
    """Model, question, answer."""
    for name in files_of(repository):
        if not name.endswith("/model_outputs.json"):
            continue
        for row in json.loads(show(repository, name) or "[]"):
            yield name.split("/")[-2], row["instruction"], row["output"] or ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("alpaca_eval")
    parser.add_argument("repositories", nargs="*")
    parser.add_argument("--descriptions", type=pathlib.Path)
    arguments = parser.parse_args()
    rng = random.Random(4)
    parts = {"indexed": [], "negatives": [], "pool": []}
    seen = set()

    def is_new(text):
        key = hashlib.sha256(" ".join(words_of(text)).encode()).digest()[:12]
        if key in seen:
            return False
        seen.add(key)
        return True

    def add(part, kind, group, text):
        half = "report" if bucket(f"half {group}", 2) else "calibrate"
        parts[part].append((kind, half, text))

    kinds = ["indexed"] * 4 + ["negatives"] * 2 + ["pool"] * 4
    for model, question, answer in answers(arguments.alpaca_eval):
        part = kinds[bucket(model, 10)]
        unseen = bucket(f"unseen {question}", 10) == 0
        line = one_line(answer)
        if len(line.split()) < 60 or not is_new(line):
            continue
        if unseen:
            add("negatives", "answer", question, line)
        else:
            add(part, "sibling" if part == "negatives" else "answer", question, line)
    for name, text in documents(arguments.repositories):
        part = kinds[bucket(name, 10)]
        words = []
        for paragraph in paragraphs_of(text):
            if is_new(paragraph):
                words += paragraph.split()
        for at in range(0, len(words) - PASSAGE_WORDS, PASSAGE_WORDS):
            add(part, "document", name, " ".join(words[at:at + PASSAGE_WORDS]))
    pool = set()
    if arguments.descriptions:
        for block in arguments.descriptions.read_text("utf-8").split("\n\n"):
            body = " ".join(line.strip() for line in block.split("\n")[3:] if line.strip() != ".")
            pool.update(sentences_of(body))
    for _, _, text in parts["pool"]:
        pool.update(sentences_of(text))

    def runs(text):
        words = words_of(text)
        for at in range(len(words) - RUN + 1):
            yield hash(" ".join(words[at:at + RUN]))

    # Sentences that targets or negatives have are nobody's; runs that both have are not negatives.
    taken = set()
    for _, _, text in parts["indexed"]:
        taken.update(runs(text))
    print(len(taken), "runs of", RUN, "words are indexed")
    kept = {"indexed": parts["indexed"], "negatives": []}
    refused = 0
    for kind, half, text in parts["negatives"]:
        if any(run in taken for run in runs(text)):
            refused += kind != "sibling"
            if kind != "sibling":
                continue
            kind = "quoting"
        kept["negatives"].append((kind, half, text))
    print(refused, "texts of", len(parts["negatives"]), "are left out: they share a run")
    own = set()
    for part in ("indexed", "negatives"):
        for _, _, text in parts[part]:
            own.update(sentences_of(text))
    pool = sorted(pool - own)
    rng.shuffle(pool)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for part, texts in kept.items():
        rng.shuffle(texts)
        with open(arguments.out / f"{part}.txt", "w") as file:
            file.writelines(f"{kind}\t{half}\t{text}\n" for kind, half, text in texts)
        for kind in sorted({kind for kind, _, _ in texts}):
            print(part, kind, sum(kind == other for other, _, _ in texts), "texts")
        print(part, len(texts), "texts,", sum(len(text.split()) for _, _, text in texts), "words")
    with open(arguments.out / "pool.txt", "w") as file:
        file.writelines(f"{sentence}\n" for sentence in pool)
    print("pool", len(pool), "sentences,", sum(len(s.split()) for s in pool), "words")


if __name__ == "__main__":
    main()
