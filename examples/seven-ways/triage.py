#!/usr/bin/env python3
"""The example of seven ways as an external worker: ../external-worker/worker.py with another `handle`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "external-worker"))

import worker  # noqa: E402  found by the line above

ANGRY = ("outrageous", "lawyer", "unacceptable")
NEGATIVE = ("broken", "late", "nobody", "wrong")
POSITIVE = ("thank", "wonderful", "great", "love")


def judge(task, tools):
    """How the customer feels."""
    text = str(task["input"].get("customer_message", "")).lower()
    for label, words in (("angry", ANGRY), ("negative", NEGATIVE), ("positive", POSITIVE)):
        if any(word in text for word in words):
            return {"label": label, "by": "a worker in Python"}
    return {"label": "neutral", "by": "a worker in Python"}


if __name__ == "__main__":
    worker.handle = judge
    worker.main()
