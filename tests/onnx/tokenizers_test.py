"""src/onnx against the `tokenizers` library: the same numbers for every text, for tokenizers of the three families
trained here and for those that packages bring along (the folder in GATEHOUSE_TOKENIZERS, tokenizer.json).

Two differences are known and kept out of the comparison: the library's tables of characters are older than Unicode 15
(normalizers are compared on characters that Unicode 3.2 had), and it reads a number of more than 15 digits less exactly
(scores are rounded), which decides ties another way."""
import json
import os
import pathlib
import subprocess
import tempfile

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = os.environ.get("ONNX_PROBE", str(ROOT / "build/release/onnx_probe"))


def ours(path, lines):
    result = subprocess.run([PROBE, "tokens", str(path)], input="".join(json.dumps(line) + "\n" for line in lines),
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return [json.loads(line) for line in result.stdout.splitlines()]


def bert(lowercase=True, **more):
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]", **more))
    tok.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok.train_from_iterator(texts.corpus(), trainers.WordPieceTrainer(vocab_size=4000, special_tokens=special, show_progress=False))
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", tok.token_to_id("[CLS]")), ("[SEP]", tok.token_to_id("[SEP]"))])
    return tok


def unigram(normalizer, pre_tokenizer):
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizer
    tok.pre_tokenizer = pre_tokenizer
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tok.train_from_iterator(texts.corpus(), trainers.UnigramTrainer(
        vocab_size=3000, special_tokens=special, unk_token="<unk>", show_progress=False))
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tok.add_tokens([AddedToken("prompt injection", normalized=True), AddedToken("\U0001f525", normalized=False, rstrip=True)])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tok


def byte_level(pre_tokenizer, post_processor=None, **more):
    tok = Tokenizer(models.BPE(**more))
    tok.pre_tokenizer = pre_tokenizer
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tok.train_from_iterator(texts.corpus(), trainers.BpeTrainer(
        vocab_size=4000, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tok.post_processor = post_processor or processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tok


def plain_bpe(**more):
    """As Llama's: spaces as a visible character, bytes for what is not known."""
    tok = Tokenizer(models.BPE(unk_token="<unk>", **more))
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tok.train_from_iterator(texts.corpus()[:40], trainers.BpeTrainer(vocab_size=1500, special_tokens=special, show_progress=False,
                                                                    limit_alphabet=80))
    return tok


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def split_by(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated", invert=False),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def trained():
    yield "BERT, lower case", bert()
    yield "BERT, cased", bert(lowercase=False, max_input_chars_per_word=20)
    nfkc = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    yield "Unigram, NFKC", unigram(nfkc, pre_tokenizers.Metaspace())
    yield "Unigram, NFD, no accents, first", unigram(normalizers.Sequence([normalizers.NFKD(), normalizers.Lowercase()]),
                                                    pre_tokenizers.Metaspace(prepend_scheme="first"))
    yield "Unigram, never, unsplit", unigram(normalizers.Sequence([normalizers.Nmt(), normalizers.NFC(), normalizers.StripAccents(), normalizers.Strip()]),
                                             pre_tokenizers.Metaspace(prepend_scheme="never", split=False))
    yield "byte-level BPE, GPT-2", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield "byte-level BPE, RoBERTa", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), ignore_merges=True)
    yield "byte-level BPE, Llama 3", byte_level(split_by(LLAMA3))
    yield "byte-level BPE, Qwen 2", byte_level(split_by(QWEN2))
    yield "BPE, byte fallback", plain_bpe(byte_fallback=True, fuse_unk=True)
    yield "BPE, unknown fused", plain_bpe(fuse_unk=True)
    yield "BPE, unknown", plain_bpe()
    many = byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.Split("e", "merged_with_next", invert=False), pre_tokenizers.Split("th", "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))
    yield "several cuts", many
    yield "contiguous cuts", byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))


def first_difference(tok, lines, answers):
    for line, answer in zip(lines, answers):
        alone = tok.encode(line, add_special_tokens=False)
        framed = tok.encode(line)
        if alone.ids != answer["ids"] or framed.ids != answer["framed"] or framed.type_ids != answer["types"]:
            return f"{line[:80]!r}: {alone.tokens[:30]} {alone.ids[:30]}, ours {answer['ids'][:30]}"
    return None


def round_scores(path):
    document = json.loads(path.read_text())
    if document["model"]["type"] == "Unigram":
        document["model"]["vocab"] = [[token, round(score, 6)] for token, score in document["model"]["vocab"]]
        path.write_text(json.dumps(document))


def compare(name, path, check, old_characters=False):
    tok = Tokenizer.from_file(str(path))
    tok.no_truncation()
    tok.no_padding()
    tok.encode_special_tokens = True
    for what, lines in (("prompts", texts.corpus()), ("hostile texts", texts.hostile()), ("every character", texts.characters(old_characters))):
        try:
            answers = ours(path, lines)
        except RuntimeError as error:
            check(f"{name}: {what}", str(error))
            continue
        problem = None if len(answers) == len(lines) else "an answer is missing"
        check(f"{name}: {what} ({len(lines)})", problem or first_difference(tok, lines, answers))


REFUSED = [
    ("a normalizer that is not known", {"normalizer": {"type": "ByteLevel"}}, "normalizer (ByteLevel)"),
    ("a regex that is not known", {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "a|b"}, "behavior": "Isolated", "invert": False}}, "a|b"),
    ("a pre-tokenizer that is not known", {"pre_tokenizer": {"type": "UnicodeScripts"}}, "pre_tokenizer (UnicodeScripts)"),
    ("a post-processor that is not known", {"post_processor": {"type": "Mystery"}}, "post_processor (Mystery)"),
    ("a member that is not known", {"model": {"surprise": 1}}, "\"surprise\""),
    ("dropout", {"model": {"dropout": 0.1}}, "dropout"),
    ("a model that is not known", {"model": {"type": "WordLevel"}}, "WordLevel"),
    ("single_word", {"added_tokens": [{"id": 9, "content": "x", "single_word": True, "special": False}]}, "single_word"),
]


def refusals(folder, check):
    for what, change, named in REFUSED:
        document = json.loads(byte_level_file.read_text())
        for key, value in change.items():
            if key == "model":
                document["model"].update(value)
            else:
                document[key] = value
        path = folder / "refused.json"
        path.write_text(json.dumps(document))
        try:
            ours(path, [])
            check(f"refused: {what}", "it was not")
        except RuntimeError as error:
            check(f"refused: {what}", None if named in str(error) else f"not named: {error}")


def run(check):
    global byte_level_file
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, (what, tok) in enumerate(trained()):
            path = folder / f"{number}.json"
            tok.save(str(path))
            round_scores(path)
            compare(what, path, check, old_characters=what.startswith(("BERT", "Unigram")))
            if what == "byte-level BPE, GPT-2":
                byte_level_file = path
        refusals(folder, check)
    given = os.environ.get("GATEHOUSE_TOKENIZERS")
    for path in sorted(pathlib.Path(given).glob("tokenizer.json")) if given else []:
        compare(str(path.parent.name), path, check)


if __name__ == "__main__":
    def show(what, problem):
        print(f"{'FAILED' if problem else 'ok'}: {what}{': ' + problem if problem else ''}", flush=True)
    print("tokenizers", tokenizers.__version__)
    run(show)
