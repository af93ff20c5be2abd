"""Waiting for a thing itself."""

import time


def until(what, condition, seconds=30):
    """Looks often, and gives up late."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.05)
