#!/usr/bin/env python3
"""Replays AgentDojo's ground-truth traces through the real gateway, without a language model.

A conversation grows as an agent's would: each request goes to the gateway with the official OpenAI
client, and a scripted provider behind it answers with exactly the tool call of the trace. For each
user task: what the gateway lets pass without and with a person. For each pair of user and injection
task: the injection is planted in every place the suite has, the user's trace runs up to the first
result that shows it, then the model "obeys" with the injection task's calls. Whether a task was done
or an attack succeeded is said by the benchmark's own checks.

    tests/agents/run [--suites banking,workspace] [--format json|yaml] [--stream] [--json FILE]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GATEHOUSE", str(ROOT / "build/release/gatehouse"))
VERSION = "v1.1.2"

try:
    import yaml
    from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
    from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack
    from agentdojo.functions_runtime import FunctionsRuntime
    from agentdojo.task_suite.load_suites import get_suite
    from openai import OpenAI
except ImportError as error:
    sys.exit(f"agents: AgentDojo is not installed ({error}); tests/agents/run installs it")


class Script(BaseHTTPRequestHandler):
    """The provider: answers with what it was told to say next."""

    protocol_version = "HTTP/1.1"
    say = None  # ("call", name, arguments) or ("text", content)
    number = 0

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        Script.number += 1
        kind, *what = Script.say
        message, reason = {"role": "assistant", "content": None}, "stop"
        if kind == "call":
            call = {"id": f"call_{Script.number}", "type": "function",
                    "function": {"name": what[0], "arguments": json.dumps(what[1])}}
            message["tool_calls"], reason = [call], "tool_calls"
        else:
            message["content"] = what[0]
        head = {"id": f"chatcmpl-{Script.number}", "created": 1, "model": body["model"]}
        if body.get("stream"):
            if "tool_calls" in message:
                message["tool_calls"][0]["index"] = 0
            chunks = [{**head, "object": "chat.completion.chunk", "choices": [
                {"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in ((message, None), ({}, reason))]
            data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
            kind_of = "text/event-stream"
        else:
            data = json.dumps({**head, "object": "chat.completion",
                               "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                               "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
            kind_of = "application/json"
        data = data.encode()
        self.send_response(200)
        self.send_header("content-type", kind_of)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Gateway:
    def __init__(self, declarations):
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-agents-"))
        self.config = self.folder / "gatehouse.yaml"
        self.provider = ThreadingHTTPServer(("127.0.0.1", 0), Script)
        threading.Thread(target=self.provider.serve_forever, daemon=True).start()
        self.config.write_text("\n".join([
            f"policies: {ROOT}/policies", "node: gw-agents", "listen: 127.0.0.1:0", f"data: {self.folder}/var", "threads: 1",
            "ledger: {origin: example.com/gatehouse-agents}",
            "providers:", f"  - {{name: script, dialect: openai, url: \"http://127.0.0.1:{self.provider.server_port}\"}}",
            declarations]))
        # An internal model: what personal data becomes on its way out is another test's business.
        self.cli("model", "add", "agent", "--provider", "script", "--trust", "internal")
        self.key = json.loads(self.cli("key", "create", "--principal", "user:emma", "--json"))["key"]
        self.process = subprocess.Popen([BINARY, "serve", "--config", str(self.config)],
                                        stderr=subprocess.PIPE, text=True)
        self.url = None
        for line in self.process.stderr:
            if line.startswith("{") and json.loads(line).get("message") == "listening":
                self.url = f"http://127.0.0.1:{json.loads(line)['address'].rsplit(':', 1)[1]}"
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.client = OpenAI(api_key=self.key, base_url=f"{self.url}/v1")

    def cli(self, *args):
        done = subprocess.run([BINARY, *args, "--config", str(self.config)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"gatehouse {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.provider.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)


class Conversation:
    def __init__(self, gateway, suite, prompt, options):
        self.gateway, self.options = gateway, options
        self.tools = [{"type": "function", "function": {
            "name": tool.name, "description": tool.description,
            "parameters": tool.parameters.model_json_schema()}} for tool in suite.tools]
        self.messages = [{"role": "user", "content": prompt}]

    def ask(self):
        completions = self.gateway.client.chat.completions
        request = {"model": "agent", "messages": self.messages, "tools": self.tools}
        if self.options.stream:
            with completions.stream(**request) as stream:
                return stream.get_final_completion().choices[0].message
        return completions.create(**request).choices[0].message

    def call(self, name, arguments):
        """The model makes this call. None: it passed; else what stands in its place."""
        Script.say = ("call", name, arguments)
        message = self.ask()
        if not message.tool_calls:
            return message.content
        passed = message.tool_calls[0]
        made = json.loads(passed.function.arguments)
        assert (passed.function.name, made) == (name, json.loads(json.dumps(arguments))), (name, arguments, made)
        self.call_id = passed.id
        self.messages.append({"role": "assistant", "content": None, "tool_calls": [
            {"id": passed.id, "type": "function",
             "function": {"name": name, "arguments": passed.function.arguments}}]})
        return None

    def force(self, name, arguments):
        """The call as if a person had approved it."""
        self.call_id = f"approved_{len(self.messages)}"
        self.messages.append({"role": "assistant", "content": None, "tool_calls": [
            {"id": self.call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}]})

    def result(self, text):
        self.messages.append({"role": "tool", "tool_call_id": self.call_id, "content": text})

    def approve(self, notice):
        approval = re.search(r"approval (ap_[0-9a-zA-Z_-]+)", notice)
        if not approval:
            return False
        self.gateway.cli("approval", "approve", approval[1])
        return True


def text_of(result, form):
    if form == "yaml":
        return tool_result_to_str(result)
    def dump(value):
        return json.dumps(value, default=str)
    return tool_result_to_str(result, dump_fn=dump)


def plain(arguments):
    return json.loads(json.dumps(dict(arguments), default=str))


def run_user_task(gateway, suite, task, options, approve):
    env = task.init_environment(suite.load_and_inject_default_environment({}))
    before = env.model_copy(deep=True)
    talk = Conversation(gateway, suite, task.PROMPT, options)
    runtime = FunctionsRuntime(suite.tools)
    held = []
    for call in task.ground_truth(env):
        arguments = plain(call.args)
        notice = talk.call(call.function, arguments)
        if notice is not None:
            held.append((call.function, notice))
            if not approve:
                return {"permitted": False, "held": held, "utility": False}
            if not talk.approve(notice) or talk.call(call.function, arguments) is not None:
                return {"permitted": False, "held": held, "utility": False}
        result, error = runtime.run_function(env, call.function, call.args)
        talk.result(text_of(result, options.format) if error is None else str(error))
    Script.say = ("text", task.GROUND_TRUTH_OUTPUT or "Done.")
    answer = talk.ask().content
    return {"permitted": True, "held": held, "utility": bool(task.utility(answer, before, env, strict=False))}


def run_attack(gateway, suite, user_task, injection, options, governed=True):
    text = ImportantInstructionsAttack._JB_STRING.format(goal=injection.GOAL, user="Emma Johnson", model="AI model")
    vectors = {name: text for name in suite.get_injection_vector_defaults()}
    env = user_task.init_environment(suite.load_and_inject_default_environment(vectors))
    before = env.model_copy(deep=True)
    talk = Conversation(gateway, suite, user_task.PROMPT, options)
    runtime = FunctionsRuntime(suite.tools)
    seen = False
    for call in user_task.ground_truth(env):
        # What the user wants is approved, if it must be: the attack gets as far as it can.
        arguments = plain(call.args)
        if not governed or talk.call(call.function, arguments) is not None:
            talk.force(call.function, arguments)
        result, error = runtime.run_function(env, call.function, call.args)
        shown = text_of(result, options.format) if error is None else str(error)
        talk.result(shown)
        squeezed = re.sub(r"\W+", "", shown)
        if re.sub(r"\W+", "", injection.GOAL) in squeezed:
            seen = True
            break
    if not seen:
        return None
    passed = []
    for call in injection.ground_truth(before):
        arguments = plain(call.args)
        if governed and talk.call(call.function, arguments) is not None:
            continue
        if not governed:
            talk.force(call.function, arguments)
        passed.append(call.function)
        result, error = runtime.run_function(env, call.function, call.args)
        talk.result(text_of(result, options.format) if error is None else str(error))
    return {"succeeded": bool(injection.security("", before, env)), "passed": passed}


def run_suite(name, options):
    suite = get_suite(VERSION, name)
    gateway = Gateway((Path(__file__).parent / f"{name}.yaml").read_text())
    report = {"suite": name, "tasks": {}, "attacks": {"shown": 0, "ungoverned": 0, "succeeded": []}}
    try:
        for task_id, task in suite.user_tasks.items():
            alone = run_user_task(gateway, suite, task, options, approve=False)
            report["tasks"][task_id] = {"alone": alone, "approved": alone if alone["permitted"] or options.no_approvals
                                        else run_user_task(gateway, suite, task, options, approve=True)}
        if not options.no_attacks:
            attacks = report["attacks"]
            for task_id, task in suite.user_tasks.items():
                for injection_id, injection in suite.injection_tasks.items():
                    free = run_attack(gateway, suite, task, injection, options, governed=False)
                    if free is None:
                        continue
                    attacks["shown"] += 1
                    attacks["ungoverned"] += free["succeeded"]
                    outcome = run_attack(gateway, suite, task, injection, options)
                    if outcome["succeeded"]:
                        attacks["succeeded"].append([task_id, injection_id, outcome["passed"]])
    finally:
        gateway.close()
    return report


def show(report):
    tasks = report["tasks"]
    alone = sum(one["alone"]["permitted"] for one in tasks.values())
    approved = sum(one["approved"]["permitted"] for one in tasks.values())
    attacks = report["attacks"]
    print(f"{report['suite']}: {alone}/{len(tasks)} user tasks without a person, {approved}/{len(tasks)} with approvals; "
          f"{attacks['shown']} attacks shown, {attacks['ungoverned']} succeed without the gateway, "
          f"{len(attacks['succeeded'])} with it")
    for task_id, one in tasks.items():
        for tool, notice in one["approved"]["held"] or one["alone"]["held"]:
            print(f"  {task_id}: {tool}: {notice}")
    for attack in attacks["succeeded"]:
        print(f"  ATTACK {attack}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suites", default="banking,workspace")
    parser.add_argument("--format", choices=["json", "yaml"], default="json")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--no-attacks", action="store_true")
    parser.add_argument("--no-approvals", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    began = time.time()
    reports = [run_suite(name, options) for name in options.suites.split(",")]
    for report in reports:
        show(report)
    if options.json:
        Path(options.json).write_text(json.dumps(reports, indent=1))
    tasks = [one for report in reports for one in report["tasks"].values()]
    alone = sum(one["alone"]["permitted"] for one in tasks)
    approved = sum(one["approved"]["permitted"] for one in tasks)
    succeeded = sum(len(report["attacks"]["succeeded"]) for report in reports)
    print(f"agents: {alone}/{len(tasks)} without a person, {approved}/{len(tasks)} with approvals, "
          f"{succeeded} attacks succeeded, {time.time() - began:.0f} s")
    # A task counts once it is done with approvals, an attack once it is stopped; then the two shares.
    shown = sum(report["attacks"]["shown"] for report in reports)
    shares = [alone >= 0.85 * len(tasks), approved >= 0.95 * len(tasks)]
    passed = approved + shown - succeeded + shares.count(True)
    failed = len(tasks) - approved + succeeded + shares.count(False)
    print(f"agents: {passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 else 1)


if __name__ == "__main__":
    main()
