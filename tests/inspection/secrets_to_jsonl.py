#!/usr/bin/env python3
"""Makes labelled texts of CredSweeper's samples: one JSON object a line,

    {"text": "…", "spans": [{"start": 3, "end": 20, "type": "credential"}], "file": "…", "split": "test"}

offsets in characters of the text, as in personal/synthetic_sentences.jsonl.

    secrets_to_jsonl.py ../shared/data/secrets [--split test] > secrets.jsonl

The lists beside the samples say what one tool reports in them, not what is in them. So:

  1. Lists of both modes (code, documents) are taken together. Spans that overlap are one.
  2. A private key is one span, from its first line to its last.
  3. No credentials, and left out: a user's name (ID_PAIR_PASSWD_PAIR, whose passwords are listed
     once more by the other rules), host names (AWS S3 Bucket, Firebase Domain), a bare UUID,
     the type of a JSON Web Key.
  4. Values that stand in the sample only after decoding a container, or elsewhere than listed, are
     looked for in the whole text; those that are not there are left out.
  5. secrets_adjudicated.jsonl corrects the lists line by line, each with its reason: what the tool
     misses or reports wrongly. --as-listed does without it.

"ignore" spans are neither right nor wrong: what rule 3 left out, and the adjudicated doubtful ones.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

NO_SECRETS = {"UUID", "AWS S3 Bucket", "Firebase Domain"}


def split_of(text: str) -> str:
    """0-5 train, 6-7 calibrate, 8-9 test: the rule of docs/inspection.md."""
    lowered = "".join(c.lower() if c.isascii() else c for c in text)
    normalised = re.sub(r"[ \t\n\v\f\r]+", " ", lowered).strip(" ")
    bucket = int(hashlib.sha256(normalised.encode()).hexdigest()[:8], 16) % 10
    return "train" if bucket < 6 else "calibrate" if bucket < 8 else "test"


def read_rows(path: Path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def place(text, line_starts, row):
    """Where a listed value stands in the text, or None."""
    value = row["value"].rstrip("\n")
    if not value.strip():
        return None
    if row["line"] <= len(line_starts):
        begin = line_starts[row["line"] - 1] + row["start"]
        if text[begin : begin + len(value)] == value:
            return begin, begin + len(value)
    at = text.find(value)
    return (at, at + len(value)) if at >= 0 else None


def is_ignored(row):
    return (
        row["rule"] in NO_SECRETS
        or row["rule"] == "ID_PAIR_PASSWD_PAIR"
        or (row["rule"] == "JWK" and "kty" in row["value"])
    )


def merge(spans, gap=0):
    merged = []
    for begin, end in sorted(spans):
        if merged and begin < merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def merge_keys(text, spans):
    """Lines of one private key are one span; a BEGIN line starts a new one."""
    merged = []
    for begin, end in sorted(set(spans)):
        starts_key = text[begin:end].lstrip(" \"'`*/#+>-\\n").startswith("BEGIN")
        between = text[merged[-1][1] : begin] if merged else ""
        if merged and not starts_key and between.count("\n") <= 3:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def labels(text, rows, corrections):
    line_starts = [0] + [m.end() for m in re.finditer("\n", text)]
    secrets, keys, ignored = [], [], []
    for row in rows:
        where = place(text, line_starts, row)
        if where is None:
            continue
        (ignored if is_ignored(row) else keys if row["rule"] == "PEM Private Key" else secrets).append(where)
    secrets = merge(secrets + merge_keys(text, keys))
    lines = text.split("\n")
    for row in corrections:
        at = lines[row["line"] - 1].rfind(row["value"])
        if at < 0:
            raise ValueError(f"{row['file']}:{row['line']}: no {row['value']!r} there")
        begin = line_starts[row["line"] - 1] + at
        where = begin, begin + len(row["value"])
        secrets = [s for s in secrets if s[1] <= where[0] or s[0] >= where[1]]
        ignored = [s for s in ignored if s[1] <= where[0] or s[0] >= where[1]]
        if row["verdict"] == "secret":
            secrets.append(where)
        elif row["verdict"] == "doubtful":
            ignored.append(where)
    secrets = merge(secrets)
    ignored = [s for s in merge(ignored) if not any(a < s[1] and s[0] < b for a, b in secrets)]
    return secrets, ignored


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="with samples/ and the expected_*.jsonl")
    parser.add_argument("--split", choices=["train", "calibrate", "test"])
    parser.add_argument("--as-listed", action="store_true", help="without the adjudicated corrections")
    options = parser.parse_args()

    rows = [r for name in ("code", "documents") for r in read_rows(options.folder / f"expected_{name}.jsonl")]
    corrections = [] if options.as_listed else read_rows(Path(__file__).with_name("secrets_adjudicated.jsonl"))
    seen = set()
    for path in sorted((options.folder / "samples").iterdir()):
        # Bytes that are no UTF-8 become one replacement character each; offsets stay what they are.
        text = path.read_bytes().decode("utf-8", errors="replace")
        split = split_of(text)
        if text in seen or (options.split and split != options.split):
            continue
        seen.add(text)
        secrets, ignored = labels(
            text,
            [r for r in rows if r["file"] == path.name],
            [c for c in corrections if c["file"] == path.name],
        )
        spans = [{"start": a, "end": b, "type": "credential"} for a, b in secrets]
        spans += [{"start": a, "end": b, "type": "ignore"} for a, b in ignored]
        row = {"text": text, "spans": sorted(spans, key=lambda s: s["start"]), "file": path.name, "split": split}
        json.dump(row, sys.stdout, ensure_ascii=False)
        print()


if __name__ == "__main__":
    main()
