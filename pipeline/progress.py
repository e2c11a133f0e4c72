"""Progress of long work: a bar on a terminal; elsewhere, as under dvc repro, a line every minute.

It goes where the package's log goes and is shown from level INFO on, which ``ser`` lets through
unless it is called with ``-q``; a caller from Python sees nothing that it did not ask for.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from pipeline import text

FIRST, EVERY = 10, 60  # seconds until the first line, and from one to the next
log = logging.getLogger("pipeline")


class Progress:
    """How far some work is; threads may update it.

    Parameters
    ----------
    total : int
        Amount of work.
    title : str
        Name of the work.
    unit : str
        Things that are counted, in the plural.
    done : int
        Amount done before.
    """

    def __init__(self, total: int, title: str, unit: str, done: int = 0):
        self.total, self.title, self.unit = total, title, unit
        self.done = self.before = done
        self.note = ""
        self.begun = time.monotonic()
        self.bar: tqdm | None = None
        self.lock = threading.Lock()

    def update(self, more: int, note: str = "") -> None:
        """Count what was done, and replace the note if there is a new one."""
        with self.lock:
            self.done += more
            self.note = note or self.note
            if self.bar is not None:
                self.bar.set_postfix_str(self.note, refresh=False)
                self.bar.update(more)

    def print(self, answer: str) -> None:
        """Print something on stdout, above the bar if there is one."""
        with self.lock:
            if self.bar is not None:
                self.bar.clear()
            print(answer, flush=True)

    def skip(self, more: int) -> None:
        """Count what turns out to have been done before; the time left does not follow from it."""
        with self.lock:
            self.done += more
            self.before += more
            if self.bar is not None:
                self.bar.initial += more
                self.bar.update(more)

    def line(self) -> str:
        """Write where the work is in one line: counts, the note, and the time that is left."""
        with self.lock:
            line = f"{self.title}: {self.done} of {self.total} {self.unit}"
            line += f", {self.note}" if self.note else ""
            now = self.done - self.before
            if now:
                left = (self.total - self.done) * (time.monotonic() - self.begun) / now
                line += f"; {text.duration(left)} left"
            return line


@contextmanager
def showing(total: int, title: str, unit: str, done: int = 0) -> Iterator[Progress]:
    """Show the progress of some work while it is done.

    Parameters
    ----------
    total : int
        Amount of work.
    title : str
        Name of the work; without one nothing is shown.
    unit : str
        Things that are counted, in the plural.
    done : int
        Amount done before.
    """
    work = Progress(total, title, unit, done)
    if not title or not log.isEnabledFor(logging.INFO):
        yield work
    elif sys.stderr.isatty():
        with tqdm(total=total, desc=title, unit=f" {unit}", initial=done) as work.bar:
            yield work
    else:
        ended = threading.Event()
        lines = threading.Thread(target=_lines, args=(work, ended), daemon=True)
        lines.start()
        try:
            yield work
        finally:
            ended.set()
            lines.join()


def counted(items: Iterable, total: int, title: str, unit: str) -> Iterator[Any]:
    """Give some items one by one, and show how many there were.

    Parameters
    ----------
    items : iterable
    total : int
        Number of items.
    title, unit : str
        Texts as in `showing`.
    """
    with showing(total, title, unit) as work:
        for item in items:
            yield item
            work.update(1)


def _lines(work: Progress, ended: threading.Event) -> None:
    """Write a line now and then, until the work has ended."""
    pause = FIRST
    while not ended.wait(pause):
        log.info(work.line())
        pause = EVERY
