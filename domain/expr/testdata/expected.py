"""Writes expected.json: what CPython answers to every snippet beside it."""

import json
import pathlib
import textwrap

here = pathlib.Path(__file__).parent


def answer(source):
    names = {}
    try:
        exec("def expression():\n" + textwrap.indent(source, "    "), names)
        return {"value": repr(names["expression"]())}
    except Exception as e:  # the answer, then
        text = str(e).replace("expression.<locals>.", "")  # functions have short names here
        return {"error": f"{type(e).__name__}: {text}"}


snippets = ["return " + line for line in (here / "expressions.txt").read_text().splitlines() if line]
snippets += [part.strip("\n") for part in (here / "programs.txt").read_text().split("---\n")]
answers = [{"source": s, **answer(s)} for s in snippets]
(here / "expected.json").write_text(json.dumps(answers, indent=1) + "\n")
