"""src/onnx against Python's onnxruntime: the same scores, to 1e-4, over whole texts and over windows of long ones."""
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

import models
import texts
from tokenizers_test import PROBE

CAPI = pathlib.Path(onnxruntime.__file__).parent / "capi"


def library():
    return str(next(CAPI.glob("libonnxruntime.so*")))


def windows(tokens, length, overlap, most):
    """[begin, end) of what is read, said another way than the program does: by stepping from the front, and for too long
    texts by mirroring the same from the back."""
    def from_front(count):
        found, at = [], 0
        while len(found) < count:
            found.append((at, at + length))
            if at + length >= tokens:
                found[-1] = (max(0, tokens - length), tokens)
                break
            at += length - overlap
        return found
    whole = from_front(10**9)
    if len(whole) <= most:
        return whole, len(whole)
    back = [(tokens - end, tokens - begin) for begin, end in from_front(most // 2)]
    return from_front((most + 1) // 2) + back[::-1], len(whole)


class Reference:
    """What the Python libraries make of a text."""

    def __init__(self, folder, model, harmful, scores="softmax", window=512, overlap=64, most=16):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(folder / model), options, providers=["CPUExecutionProvider"])
        self.tok = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tok.encode_special_tokens = True
        self.harmful, self.scores, self.window, self.overlap, self.most = harmful, scores, window, overlap, most
        fixed = self.session.get_inputs()[0].shape[1]
        self.fixed = fixed if isinstance(fixed, int) else None

    def read(self, text):
        ids = self.tok.encode(text, add_special_tokens=False).ids
        spans, of = windows(len(ids), (self.fixed or self.window) - 2, self.overlap, self.most)
        return max(self.score(ids[begin:end]) for begin, end in spans), [len(spans), of]

    def score(self, ids):
        framed = [self.tok.token_to_id("[CLS]"), *ids, self.tok.token_to_id("[SEP]")]
        mask = [1] * len(framed)
        if self.fixed:
            mask += [0] * (self.fixed - len(framed))
            framed += [0] * (self.fixed - len(framed))
        whole = np.int32 if self.session.get_inputs()[0].type == "tensor(int32)" else np.int64
        given = {"input_ids": np.array([framed], whole), "attention_mask": np.array([mask], whole), "token_type_ids": np.zeros((1, len(framed)), whole)}
        wanted = {port.name for port in self.session.get_inputs()}
        logits = self.session.run(["logits"], {name: value for name, value in given.items() if name in wanted})[0][0].astype(np.float64)
        if self.scores == "sigmoid":
            return max(1 / (1 + np.exp(-logits[at])) for at in self.harmful)
        odds = np.exp(logits - logits.max())
        return sum(odds[at] for at in self.harmful) / odds.sum()


def ours(folder, lines, model="model.onnx", **more):
    options = {"model": str(folder / model), "tokenizer": str(folder / "tokenizer.json"), "runtime": library(), **more}
    (folder / "options.json").write_text(json.dumps(options))
    result = subprocess.run([PROBE, "scores", str(folder / "options.json")], input="".join(json.dumps(line) + "\n" for line in lines),
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return [json.loads(line) for line in result.stdout.splitlines()]


def compare(check, what, folder, lines, reference, **options):
    answers = ours(folder, lines, **options)
    furthest = 0.0
    for line, answer in zip(lines, answers):
        score, spans = reference.read(line)
        if "error" in answer or answer["windows"] != spans:
            return check(what, f"{line[:60]!r}: {answer}, expected {score} and windows {spans}")
        furthest = max(furthest, abs(score - answer["score"]))
    check(f"{what} ({len(lines)} texts, furthest apart {furthest:.1e})",
          None if len(answers) == len(lines) and furthest < 1e-4 else f"scores differ by {furthest}, {len(answers)} answers")


def long_texts():
    prompts = [text for text, _ in models.rows()]
    return [" ".join(prompts[begin:begin + count]) for begin in range(0, min(len(prompts), 40), 4) for count in (1, 3, 9, 40)] + ["", "a " * 9_000]


def refused(check, what, named, folder, **options):
    try:
        ours(folder, [], **options)
        check(f"refused: {what}", "it was not")
    except RuntimeError as error:
        check(f"refused: {what}", None if named in str(error) else f"not named: {error}")


def run(check):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        models.build(folder)
        lines = [text for text, _ in models.rows()][:400] + texts.hostile()[:400]
        injection = {"labels": models.LABELS, "harmful": ["INJECTION"]}
        compare(check, "softmax", folder, lines, Reference(folder, "model.onnx", [1]), **injection)
        compare(check, "labels of config.json", folder, lines[:50], Reference(folder, "model.onnx", [0, 1]), harmful=["SAFE", "INJECTION"])
        compare(check, "a fixed length, 32 bits", folder, lines, Reference(folder, "fixed.onnx", [1], overlap=8), model="fixed.onnx", overlap=8, **injection)
        compare(check, "sigmoid", folder, lines, Reference(folder, "multi.onnx", [0, 2], "sigmoid"), model="multi.onnx",
                labels=["a", "b", "c"], harmful=["a", "c"], scores="sigmoid")
        compare(check, "windows", folder, long_texts(), Reference(folder, "model.onnx", [1], window=40, overlap=10, most=5),
                window=40, overlap=10, windows=5, **injection)
        compare(check, "many windows", folder, long_texts(), Reference(folder, "model.onnx", [1], window=64, overlap=0, most=1000),
                window=64, overlap=0, windows=1000, **injection)
        answers = ours(folder, ["short", "a \u2603 word"], model="broken.onnx", **injection)
        check("what is not a number is no reading", None if "error" in answers[1] and "score" in answers[0] else str(answers))
        refused(check, "no runtime", "cannot be loaded", folder, **{**injection, "runtime": "/nowhere/libonnxruntime.so"})
        refused(check, "another library", "not ONNX Runtime", folder, **{**injection, "runtime": "libm.so.6"})
        refused(check, "a label that is not there", "no label \"JAILBREAK\", but: SAFE, INJECTION", folder, labels=models.LABELS, harmful=["JAILBREAK"])
        refused(check, "too many labels", "2 scores for 3 labels", folder, labels=["a", "b", "c"], harmful=["a"])
        config = json.loads((folder / "config.json").read_text())
        for key, value, named in (("vocab_size", 100, "vocab_size"), ("max_position_embeddings", 256, "max_position_embeddings")):
            (folder / "config.json").write_text(json.dumps({**config, key: value}))
            refused(check, f"more than {key} of config.json", named, folder, harmful=["INJECTION"])
        (folder / "config.json").write_text(json.dumps(config))
        refused(check, "a window that is too long for the model", "a window of 512 tokens", folder, model="short.onnx", **injection)
        refused(check, "no model", "model.onn", folder, model="model.onn", **injection)
        refused(check, "a model that is none", "ONNX Runtime: ", folder, model="tokenizer.json", **injection)


if __name__ == "__main__":
    def show(what, problem):
        print(f"{'FAILED' if problem else 'ok'}: {what}{': ' + problem if problem else ''}", flush=True)
    run(show)
