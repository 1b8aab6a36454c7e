#!/usr/bin/env python3
"""Turns published labelled text and the documentation of a Debian machine into the name detector's
training format (see corpus.py), on standard output.

    scripts/names/public.py conll FILE...            CoNLL columns: WNUT 2017, Broad Twitter Corpus
    scripts/names/public.py documentation|sources 0|1 LIMIT [LISTS]
        half of /usr/share/doc and of the manual pages, or of configuration, headers and scripts, by a
        hash of the path, without lines that speak of authorship; with the folder of lists.py also
        without lines where a given name stands before a capital
"""
import gzip
import hashlib
import json
import pathlib
import random
import re
import sys

KINDS = {"person": "PERSON", "per": "PERSON", "location": "LOCATION", "loc": "LOCATION"}
NAMING = re.compile(r"copyright|\(c\)|©|author|maintain|written|thank|patch|contribut|by [A-Z]|signed|@|"
                    r"\bfrom [A-Z]|report|editor|license|licence|street|floor|\bdear\b|credit|et al|\bfixes? .*\([A-Z]", re.I)


def detokenise(words, labels):
    text, spans, previous = "", [], None
    for word, label in zip(words, labels):
        attach = not text or word in ".,;:!?)%]}'s n't" or word.startswith("'") or text[-1] in "@#([{" or previous in ("/", "-", "_")
        text += "" if attach else " "
        start = len(text)
        text += word
        kind = KINDS.get(label[2:].lower()) if label != "O" else None
        handle = word.startswith("@") or (start and text[start - 1] == "@")
        if kind and not handle:
            if label[0] == "I" and spans and spans[-1]["type"] == kind and spans[-1]["end"] >= start - 1:
                spans[-1]["end"] = len(text)
            else:
                spans.append({"start": start, "end": len(text), "type": kind})
        previous = word
    return {"text": text, "spans": spans, "group": hashlib.sha256(text.encode()).hexdigest()[:8]}


def conll(paths):
    for path in paths:
        words, labels = [], []
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines() + [""]:
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) >= 2 and cells[0].strip():
                words.append(cells[0].strip())
                labels.append(cells[1].strip())
            elif words:
                print(json.dumps(detokenise(words, labels), ensure_ascii=False))
                words, labels = [], []


def read(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace") if b"\0" not in data else ""


def paragraphs(text):
    text = re.sub(r'(?m)^[.\'][A-Za-z]+ ?|^\.\\".*$|\\f[BIRP]', "", text)
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not NAMING.search(line)]
        kept = "\n".join(lines).strip()
        if 40 < len(kept) < 1500:
            yield kept


def names_somebody(line, given):
    words = re.findall(r"[^\W\d_]+", line)
    return any(a[0].isupper() and a.lower() in given and b[0].isupper() for a, b in zip(words, words[1:]))


def files_of(roots, half, wanted):
    """Half of the files, by a hash of the path, in an order that is the same each time."""
    files = [p for root in roots for p in sorted(pathlib.Path(root).rglob("*")) if p.is_file() and wanted(p) and
             hashlib.sha256(str(p).encode()).digest()[0] % 2 == half]
    random.Random(5).shuffle(files)
    return files


def harmless(files, pieces_of, most, limit, given):
    """Up to `most` pieces of each file, without the lines that may name somebody."""
    size = 0
    for path in files:
        try:
            found = list(pieces_of(read(path)))
        except (OSError, EOFError):
            continue
        for text in found[:most]:
            text = "\n".join(line for line in text.splitlines() if not names_somebody(line, given))
            size += len(text)
            print(json.dumps({"text": text, "spans": [], "group": path.name}, ensure_ascii=False))
        if size > limit:
            return


def documentation(half, limit, given):
    def wanted(path):
        name = path.name.lower()
        return "copyright" not in name and "changelog" not in name and not name.startswith("gcloud_")
    roots = ("/usr/share/doc", "/usr/share/man/man1", "/usr/share/man/man3", "/usr/share/man/man8")
    harmless(files_of(roots, half, wanted), paragraphs, 40, limit, given)


def stretches(text):
    """Of sources: a few lines each, not more than 1,000 characters."""
    lines = [line[:300] for line in text.splitlines() if not NAMING.search(line)]
    piece = ""
    for line in lines:
        if len(piece) + len(line) > 1000:
            yield piece
            piece = ""
        piece += line + "\n"
    if piece.strip():
        yield piece


def sources(half, limit, given):
    roots = ("/etc", "/usr/include", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/perl", "/usr/share/cmake-3.25")
    harmless(files_of(roots, half, lambda path: path.stat().st_size < 200_000), stretches, 6, limit, given)


def given_names(lists):
    """Those of the list that are no dictionary words; none without a list."""
    if not lists:
        return set()
    folder = pathlib.Path(lists[0])
    words = set((folder / "word.txt").read_text().split())
    return set((folder / "given.txt").read_text().split()) - words


if sys.argv[1] == "conll":
    conll(sys.argv[2:])
else:
    {"documentation": documentation, "sources": sources}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), given_names(sys.argv[4:]))
