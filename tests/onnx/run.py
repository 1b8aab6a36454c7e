"""Everything in this folder; ends with "onnx: N passed, N failed". Names of parts (tokenizers, classifier) choose."""
import os
import sys

import classifier_test
import tokenizers_test
import tokenizers
import onnxruntime

PARTS = {"classifier": classifier_test.run, "tokenizers": tokenizers_test.run}
results = {"passed": 0, "failed": 0}


def check(what, problem):
    results["failed" if problem else "passed"] += 1
    print(f"  {'FAILED' if problem else 'ok'}: {what}{': ' + problem[:1000] if problem else ''}", flush=True)


print(f"onnx: tokenizers {tokenizers.__version__}, onnxruntime {onnxruntime.__version__}")
for name in sys.argv[1:] or PARTS:
    try:
        PARTS[name](check)
    except Exception as error:  # counted, and the other parts go on
        check(f"{name} ran to its end", repr(error))
print(f"onnx: {results['passed']} passed, {results['failed']} failed")
sys.exit(results["failed"] > 0)
