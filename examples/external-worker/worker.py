#!/usr/bin/env python3
"""A worker for an external agent, by Python's standard library alone.

    TUTTI_URL=http://127.0.0.1:4000/graphql TUTTI_API_KEY=... python3 worker.py AGENT

It claims tasks one at a time, gives signs of life while it works, and answers. Ctrl-C gives back what it has. To do
something else, change `handle`.
"""

import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

URL = os.environ.get("TUTTI_URL", "http://127.0.0.1:4000/graphql")
KEY = os.environ.get("TUTTI_API_KEY", "")
LEASE_SECONDS = int(os.environ.get("LEASE_SECONDS", "30"))
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "1"))


def handle(task, tools):
    """Does one task; what it returns is the step's output. Raise TaskFailure to say how it failed."""
    text = str(task["input"].get("text", ""))
    tools.report(50, "Counting")
    seconds = float(task["input"].get("seconds") or 0)
    if tools.lost.wait(seconds):
        return None
    return {"words": len(text.split()), "text": text, "by": "python"}


class TaskFailure(Exception):
    """How a task failed. `code` is of capitals, digits and underscores."""

    def __init__(self, code, message, retryable=False):
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class PlatformError(Exception):
    """What the platform answered with, by its stable code; UNAVAILABLE when it did not answer."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Stop(Exception):
    """The process was asked to end."""


def ask(mutation, selection, given):
    """The answer to one mutation."""
    kind = mutation[0].upper() + mutation[1:] + "Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} }} }}"
    request = urllib.request.Request(
        URL,
        json.dumps({"query": query, "variables": {"input": given}}).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
    )
    try:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                body = json.load(response)
        except urllib.error.HTTPError as error:
            body = json.load(error)
    except (OSError, ValueError) as error:
        raise PlatformError("UNAVAILABLE", str(error)) from error
    for error in body.get("errors") or []:
        raise PlatformError(error.get("extensions", {}).get("code", "UNAVAILABLE"), error["message"])
    return body["data"][mutation]


class Tools:
    """What a handler works with: `lost` is set when the claim is over and its answer would be refused."""

    def __init__(self, token):
        self.token = token
        self.lost = threading.Event()
        self.over = threading.Event()

    def report(self, percent, message=None, data=None):
        """How far it is."""
        try:
            ask("reportProgress", "task { id }", {"token": self.token, "percent": percent, "message": message, "data": data})
        except PlatformError as error:
            print(error, file=sys.stderr)

    def beat(self):
        """Three signs of life a lease, until the task is over."""
        while not self.over.wait(LEASE_SECONDS / 3):
            try:
                told = ask("heartbeatTask", "leaseUntil stop", {"token": self.token, "leaseSeconds": LEASE_SECONDS})
                if told["leaseUntil"] is None or told["stop"] == "CONTAINED":
                    self.lost.set()
                    return
            except PlatformError as error:
                print(error, file=sys.stderr)


def answer(mutation, given):
    """Until it is heard: the same answer by the same claim is taken once. One that comes too late is let go."""
    pause = 0.25
    while True:
        try:
            return ask(mutation, "task { id }", given)
        except PlatformError as error:
            if error.code not in ("UNAVAILABLE", "TIMEOUT", "RATE_LIMITED", "INTERNAL"):
                print(error, file=sys.stderr)
                return None
        time.sleep(pause * (0.5 + random.random()))
        pause = min(30, pause * 2)


def do(task):
    """One claim from its beginning to its answer."""
    token = task["token"]
    tools = Tools(token)
    threading.Thread(target=tools.beat, daemon=True).start()
    try:
        output = handle(task, tools)
        if not tools.lost.is_set():
            answer("completeTask", {"token": token, "output": output})
    except Stop:
        answer("releaseTask", {"token": token})
        raise
    except TaskFailure as error:
        answer("failTask", {"token": token, "code": error.code, "message": str(error), "retryable": error.retryable})
    except Exception as error:  # whatever a handler throws may be tried again
        answer("failTask", {"token": token, "code": "HANDLER_FAILED", "message": str(error)[:2000], "retryable": True})
    finally:
        tools.over.set()


def work(agent):
    """Claims and does tasks until the process is asked to end."""
    pause = 0.25
    print("ready", flush=True)
    while True:
        try:
            claimed = ask(
                "claimTasks",
                "tasks { id token input attempt idempotencyKey step run { id } progress { percent data } }",
                {"agent": agent, "most": 1, "leaseSeconds": LEASE_SECONDS},
            )["tasks"]
        except PlatformError as error:
            print(error, file=sys.stderr)
            time.sleep(pause * (0.5 + random.random()))
            pause = min(30, pause * 2)
            continue
        pause = 0.25
        for task in claimed:
            print("claimed", task["id"], flush=True)
            do(task)
        if not claimed:
            time.sleep(POLL_SECONDS)


def stop(*_):
    raise Stop


def main():
    """Works for the agent named on the command line until the process is asked to end."""
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        work(sys.argv[1] if len(sys.argv) > 1 else None)
    except Stop:
        pass


if __name__ == "__main__":
    main()
