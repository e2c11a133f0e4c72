"""What is killed, started twice, cut off or damaged in DVC's cache, then run again."""

import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.faults import Tally, of_command
from tests.faults.project import call, content, copy, remove, stages, started

STORE = "features/data/demo-mfcc39.zarr"


def kills(source: Path, tally: Tally, generator: random.Random, cases: int) -> None:
    """Kill a stage at any moment of its life, and run it again."""
    with tempfile.TemporaryDirectory() as folder:
        clone = copy(source, Path(folder, "clone"), ".git", ".dvc", ".*.made")
        lives = {}
        for case in range(cases):
            stage = stages(source)[case % len(stages(source))]
            wanted = content(source, *stage.outs)
            remove(clone, *stage.outs)
            if stage.name not in lives:  # how long it takes
                begun = time.monotonic()
                call(clone, *stage.command)
                lives[stage.name] = time.monotonic() - begun
                remove(clone, *stage.outs)
            process = started(clone, *stage.command)
            moment = lives[stage.name] * generator.random()
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
            again = call(clone, *stage.command)
            right = content(clone, *stage.outs) == wanted
            outcome = "same" if again.returncode == 0 and right else "lost"
            tally.count(outcome, f"{stage.name} after {moment:.1f} s", again.stderr)


def twice(source: Path, tally: Tally, _: random.Random, cases: int) -> None:
    """Start two ``dvc repro`` at once: one waits, or says so; then a third one finds all made."""
    for case in range(cases):
        with tempfile.TemporaryDirectory() as folder:
            clone = copy(source, Path(folder, "clone"))
            remove(clone, STORE, "reports/summary.md")
            both = [started(clone, "dvc", "repro", "--force", "-s", "report") for _ in range(2)]
            said = [process.communicate()[1] for process in both]
            last = call(clone, "dvc", "repro")
            right = content(clone, STORE, "reports") == content(source, STORE, "reports")
            outcome = "same" if last.returncode == 0 and right else "lost"
            if any("Traceback" in words for words in [*said, last.stderr]):
                outcome = "traceback"
            tally.count(outcome, f"case {case}", "".join(said) + last.stderr)


def cache(source: Path, tally: Tally, generator: random.Random, cases: int) -> None:
    """Damage a store's chunk in DVC's cache: what reads it says so, and it can be made again."""
    for case in range(cases):
        with tempfile.TemporaryDirectory() as folder:
            clone = copy(source, Path(folder, "clone"))
            chunk = generator.choice(sorted((clone / STORE / "x" / "c").rglob("0")))
            held = chunk.read_bytes() if chunk.is_file() else b""
            entries = [p for p in (clone / ".dvc/cache/files").rglob("*") if p.is_file()]
            same = [path for path in entries if held and path.read_bytes() == held]
            for entry in same:
                entry.chmod(0o644)
                entry.write_bytes(held[:99] + bytes([held[99] ^ 1]) + held[100:])
            remove(clone, STORE)
            call(clone, "dvc", "checkout", STORE)
            done = call(clone, "dvc", "repro", "--force", "-s", "evaluate@tiny")
            outcome = of_command(1, done.stderr) if done.returncode else "same"
            if same and "not as it was written" not in done.stderr:
                outcome = "lost"
            remove(clone, STORE)
            again = call(clone, "dvc", "repro", "--force", "-s", "extract@demo-mfcc39")
            remove(clone, STORE)
            call(clone, "dvc", "checkout", STORE)
            if again.returncode or content(clone, STORE) != content(source, STORE):
                outcome = "lost"
            tally.count(outcome, f"case {case}, {chunk}", done.stderr + again.stderr)


def transfer(source: Path, tally: Tally, generator: random.Random, cases: int) -> None:
    """Kill a push or a pull, and run it again: the puller has what was pushed."""
    for case in range(cases):
        with tempfile.TemporaryDirectory() as folder:
            clone, remote = copy(source, Path(folder, "clone")), Path(folder, "lab")
            call(clone, "dvc", "remote", "add", "--local", "--default", "lab", str(remote))
            call(clone, "dvc", "remote", "modify", "--local", "lab", "verify", "true")
            for direction in ("push", "pull"):
                if direction == "pull":
                    shutil.rmtree(clone / ".dvc" / "cache")
                    remove(clone, STORE, "models/tiny")
                process = started(clone, "dvc", direction, "extract@demo-mfcc39", "train@tiny")
                try:
                    process.wait(1 + 3 * generator.random())
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.communicate()
                done = call(clone, "dvc", direction, "extract@demo-mfcc39", "train@tiny")
            paths = (STORE, "models/tiny")
            right = done.returncode == 0 and content(clone, *paths) == content(source, *paths)
            tally.count("same" if right else "lost", f"case {case}", done.stdout + done.stderr)
