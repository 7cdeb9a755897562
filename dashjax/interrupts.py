"""Ctrl-C and SIGTERM on the command line: one line, and the process is gone at once, whatever it was doing.

Everything is written whole or not at all, so a process may end at any moment: what is finished is kept. To unwind would
be to wait for compilers and running programs that do not listen, and to take the interpreter apart under them.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What the last line says is kept.
_kept = [""]


@contextmanager
def keeping(words: str) -> Iterator[None]:
    """Say what is kept if the process is interrupted meanwhile."""
    _kept.append(words)
    try:
        yield
    finally:
        _kept.pop()


def listen() -> None:
    """End this process with a line and 128 + the signal's number on SIGINT and SIGTERM, from now on."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and background jobs want it
            # The main thread may be anywhere, and runs no handler before it is back: a thread of its own listens.
            signal.signal(number, _do_nothing)
    threading.Thread(target=_wait, args=(ours, theirs), daemon=True).start()


def stop_listening() -> None:
    """Ignore signals from now on, if any were listened to: all is done, and what is left of Python is ending."""
    if signal.getsignal(signal.SIGTERM) is _do_nothing:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _do_nothing(*_) -> None:
    """Leave a signal to the thread that listens."""


def _wait(ours: socket.socket, theirs: socket.socket) -> None:
    number = 0
    while number not in (signal.SIGINT, signal.SIGTERM):
        number = ours.recv(1)[0]
    # Whoever reads our output may have stopped reading; nobody waits for that.
    for say in (sys.stdout.flush, lambda: os.write(2, _last_words(number))):
        speaker = threading.Thread(target=_try, args=(say,), daemon=True)
        speaker.start()
        speaker.join(timeout=1)
    os._exit(128 + number)


def _last_words(number: int) -> bytes:
    what = "interrupted" if number == signal.SIGINT else "terminated"
    # A progress bar has hidden the cursor.
    start = "\x1b[?25h\r\n" if os.isatty(2) else ""
    return f"{start}dashjax: {what}{_kept[-1]}\n".encode(errors="replace")


def _try(say) -> None:
    try:
        say()
    except (OSError, ValueError, AttributeError):
        pass


def is_command_line() -> bool:
    """Say whether this process is the command line: `dashjax`, `python -m dashjax` or `python -m dashjax.cli`."""
    if sys.argv[:1] == ["-m"]:
        return sys.orig_argv[sys.orig_argv.index("-m") + 1] in ("dashjax", "dashjax.cli")
    return Path(sys.argv[0]).stem == "dashjax" if sys.argv else False


if is_command_line():
    listen()
