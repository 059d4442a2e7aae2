#!/usr/bin/env python3
"""answer.py QUESTION=ANSWER... -- COMMAND...: runs a command at a terminal of its own and answers its questions, each once, as a person
would. Prints what the terminal shows; ends with the command's exit code."""
import os
import pty
import sys

split = sys.argv.index("--")
answers = [tuple(word.split("=", 1)) for word in sys.argv[1:split]]
seen = b""


def read(descriptor):
    global seen
    data = os.read(descriptor, 4096)
    seen += data
    for pair in list(answers):
        if pair[0].encode() in seen:
            answers.remove(pair)
            seen = b""
            os.write(descriptor, pair[1].encode() + b"\n")
            break
    return data


# Nothing is typed but the answers.
with open(os.devnull) as nothing:
    os.dup2(nothing.fileno(), 0)
code = os.waitstatus_to_exitcode(pty.spawn(sys.argv[split + 1:], read, lambda descriptor: b""))
sys.exit(code if code >= 0 else 128 - code)
