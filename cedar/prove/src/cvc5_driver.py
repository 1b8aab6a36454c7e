"""cvc5 as a process that reads SMT-LIB commands and answers them, one at a time.

PyPI's package brings the solver as a library without the program of that name; this is that
program, as far as the symbolic compiler talks to it. It leaves when its input ends.
"""

import os
import sys

import cvc5


def commands(stream):
    """The text of each command, as soon as its last bracket is there."""
    text, depth, state = [], 0, ""
    for line in iter(stream.readline, ""):
        for character in line:
            if state == "":
                if character == ";":
                    state = ";"
                    continue
                if character in '"|':
                    state = character
                elif character == "(":
                    depth += 1
                elif character == ")":
                    depth -= 1
            elif state == ";":
                if character == "\n":
                    state = ""
                continue
            elif character == state:
                state = ""
            if depth > 0 or text or not character.isspace():
                text.append(character)
            if depth == 0 and state == "" and character == ")":
                yield "".join(text)
                text = []
        if state == ";":
            state = ""


class Session:
    """A solver and its symbols; (reset) makes new ones."""

    def __init__(self, time_limit_ms):
        self.time_limit_ms = time_limit_ms
        self.start()

    def start(self):
        self.solver = cvc5.Solver()
        if self.time_limit_ms:
            self.solver.setOption("tlimit-per", str(self.time_limit_ms))
        self.symbols = cvc5.SymbolManager(self.solver)
        self.parser = cvc5.InputParser(self.solver, self.symbols)

    def answer(self, text):
        if text.strip() == "(reset)":
            self.start()
            return ""
        self.parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "input")
        out = []
        while True:
            command = self.parser.nextCommand()
            if command.isNull():
                return "".join(out)
            out.append(str(command.invoke(self.solver, self.symbols)))


def main():
    session = Session(int(os.environ.get("GATEHOUSE_SOLVER_TIME_LIMIT_MS", "60000")))
    for text in commands(sys.stdin):
        if text.strip() == "(exit)":
            break
        try:
            out = session.answer(text)
        except Exception as problem:  # the library's own, and what it cannot parse
            message = " ".join(str(problem).split()).replace('"', "'")
            out = f'(error "{message}")\n'
        if out:
            sys.stdout.write(out if out.endswith("\n") else out + "\n")
            sys.stdout.flush()


main()
