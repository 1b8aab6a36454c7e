#!/usr/bin/env python3
"""Answers with their sources, for the calibration of the grounding check.

    grounding_to_jsonl.py --repositories DIR [--halueval FILE] > grounding.jsonl

DIR holds clones named owner+name. Proposals of open projects have a summary that their authors wrote, of one to
some ten sentences, and behind it the text that it sums up: the summary is taken for an answer and the rest for its
source. Titles are the questions. FILE has lines with knowledge, question, right_answer and hallucinated_answer, as
HaluEval's generation/qa (MIT); its right answers are often a word, so they stand behind their question.

Rows: {"answer", "question", "sources", "label": "grounded" or "hallucinated", "group", "source"}. A summary with the
text of the next proposal of its series is "hallucinated". Rows of one proposal have one group.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

SERIES = [  # repository, files, name of the summary, licence
    ("python+peps", r"peps/pep-\d+\.rst$", "Abstract"),
    ("ethereum+EIPs", r"EIPS/eip-\d+\.md$", "Abstract"),
    ("rust-lang+rfcs", r"text/\d+-.*\.md$", "Summary"),
    ("kubernetes+enhancements", r"keps/sig-.*/README\.md$", "Summary"),
    ("apple+swift-evolution", r"proposals/\d+-.*\.md$", "Introduction"),
]
SHORTEST_SUMMARY, LONGEST_SUMMARY, SHORTEST_SOURCE = 60, 2000, 500


def git(repository, *arguments):
    folder = repository / ".git" if (repository / ".git").is_dir() else repository
    done = subprocess.run(["git", f"--git-dir={folder}", *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def sections(text):
    """(heading, body) in order; underlined headings of reStructuredText, # headings of Markdown."""
    text = re.sub(r"^([^\n#*-][^\n]*)\n(={3,}|-{3,})$", r"# \1", text, flags=re.M)
    parts = re.split(r"^#+ +(.*)$", text, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def plain(text):
    text = re.sub(r"```.*?```|<!--.*?-->|^\[[^\]]*\]: .*$", "", text, flags=re.S | re.M)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r":\w+:`([^`<]*)[^`]*`", r"\1", text)
    return re.sub(r"[ \t]*\n[ \t]*", "\n", text).strip()


def proposal(text, wanted):
    """(title, summary, source), or None."""
    title = re.search(r"^(?:Title|title): *(.*)$", text, flags=re.M)
    summary, rest = None, []
    for heading, body in sections(text):
        if summary is None and heading.strip().rstrip(":").lower() == wanted.lower():
            summary = plain(body)
        elif summary is not None and heading.strip().lower() not in ("references", "copyright", "table of contents"):
            rest.append(heading + "\n" + plain(body))
    source = "\n\n".join(rest)
    if not summary or not SHORTEST_SUMMARY <= len(summary) <= LONGEST_SUMMARY or len(source) < SHORTEST_SOURCE:
        return None
    return title.group(1) if title else "", summary, source[:100_000]


def proposals(repositories):
    for name, pattern, wanted in SERIES:
        repository = repositories / name
        if not repository.exists():
            print(f"left out: {name}", file=sys.stderr)
            continue
        repository = repository.resolve()
        files = [line for line in git(repository, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
                 if re.search(pattern, line)]
        known = []
        for file in files:
            try:
                found = proposal(git(repository, "show", f"HEAD:{file}"), wanted)
            except subprocess.CalledProcessError:
                continue
            if found:
                known.append((f"{name}/{file}", *found))
        commit = git(repository, "rev-parse", "--short=12", "HEAD").strip()
        print(f"{name} {commit}: {len(known)} of {len(files)}", file=sys.stderr)
        for at, (group, title, summary, source) in enumerate(known):
            row = {"answer": summary, "question": title, "group": group, "source": name}
            yield {**row, "sources": [source], "label": "grounded"}
            yield {**row, "sources": [known[(at + 1) % len(known)][3]], "label": "hallucinated"}


def halueval(file):
    for line in file.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        row = {"question": pair["question"], "sources": [pair["knowledge"]], "group": pair["question"],
               "source": "halueval"}
        yield {**row, "answer": pair["question"] + " " + pair["right_answer"], "label": "grounded"}
        yield {**row, "answer": pair["hallucinated_answer"], "label": "hallucinated"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=pathlib.Path, required=True)
    parser.add_argument("--halueval", type=pathlib.Path)
    options = parser.parse_args()
    seen = set()
    rows = list(proposals(options.repositories)) + (list(halueval(options.halueval)) if options.halueval else [])
    for row in rows:
        key = (row["answer"], row["label"])
        if key not in seen:
            seen.add(key)
            print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
