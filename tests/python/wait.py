"""Waiting for a thing itself."""

import subprocess
import time


class Ended(RuntimeError):
    """The process that was waited for ended."""


def until(what, condition, process, seconds=30):
    """Waits for what a process is to do. Fails at once when the process ends, and late when it does not do it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise Ended(f"the process ended before {what}")
