#!/usr/bin/env python3
"""Rows for `gatehouse inspect eval` of the labelled sentences with personal data.

  personal_to_jsonl.py synthetic_sentences.jsonl train|calibrate|test|all > rows.jsonl

Duplicates are left out and the split is taken as docs/inspection.md says. A DATE_TIME with "born" or
"birth" within the 64 characters before it is a DATE_OF_BIRTH; other dates are nobody's data, and stay
DATE_TIME.
"""
import hashlib
import json
import re
import sys


def normalised(text):
    lower = "".join(c.lower() if "A" <= c <= "Z" else c for c in text)
    return re.sub(r"[ \t\n\r\f\v]+", " ", lower).strip()


def split_of(text):
    bucket = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 10
    return "train" if bucket < 6 else "calibrate" if bucket < 8 else "test"


def main():
    path, wanted = sys.argv[1:]
    seen = set()
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        text = normalised(row["text"])
        if text in seen or wanted not in ("all", split_of(text)):
            continue
        seen.add(text)
        for span in row["spans"]:
            before = row["text"][max(0, span["start"] - 64):span["start"]]
            if span["type"] == "DATE_TIME" and re.search("born|birth", before, re.IGNORECASE):
                span["type"] = "DATE_OF_BIRTH"
        print(json.dumps(row, ensure_ascii=False))


main()
