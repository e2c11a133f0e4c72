"""Disks that are full or read-only, in every stage: nothing is lost, and a rerun goes on."""

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults import Tally, of_command
from tests.faults.project import Stage, call, content, copy, remove, stages

SIZE_MB = 400


@contextmanager
def small_disk(source: Path) -> Iterator[Path]:
    """Give a copy of a clone on a disk in memory."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", folder], check=True
        )
        try:
            yield copy(source, Path(folder, "clone"), ".git", ".dvc", ".*.made", ".*.floors")
        finally:
            subprocess.run(["umount", folder], check=True)


def full(source: Path, tally: Tally, generator: random.Random, cases: int, only: str = "") -> None:
    """Fill the disk up to some bytes, run a stage, make room, and run it again."""
    with small_disk(source) as clone:
        for stage in stages(source):
            if only and not stage.name.startswith(only):
                continue
            wanted = content(source, *stage.outs)
            size = sum((source / name).stat().st_size for name in wanted)
            for case in range(cases):
                room = 0 if case == 0 else int(size * generator.random())
                remove(clone, *stage.outs)
                filler = clone.parent / "filler"
                with filler.open("wb") as file:
                    left = shutil.disk_usage(clone).free - room
                    with suppress(OSError):
                        file.write(bytes(max(0, left)))
                case = f"{stage.name}, {room} bytes left"
                _tried(clone, stage, wanted, tally, case, filler.unlink)
                _restore(source, clone, stage)


def read_only(source: Path, tally: Tally, only: str = "") -> None:
    """Run each stage on a disk that is read-only, then on one that is not."""
    with small_disk(source) as clone:
        for stage in stages(source):
            if only and not stage.name.startswith(only):
                continue
            remove(clone, *stage.outs)
            _mounted(clone.parent, "ro")
            case = f"{stage.name}, read-only"
            wanted = content(source, *stage.outs)
            _tried(clone, stage, wanted, tally, case, lambda: _mounted(clone.parent, "rw"))


def _tried(clone: Path, stage: Stage, wanted: dict, tally: Tally, case: str, lift) -> None:
    """Run a stage under a fault, and again without; count the worse of both."""
    done = call(clone, *stage.command)
    outcome = "same" if done.returncode == 0 else of_command(done.returncode, done.stderr)
    found = content(clone, *stage.outs)
    said = done.stderr
    lift()
    if outcome == "same" and found != wanted:
        outcome, said = "lost", f"{said}\nended with 0, and other files"
    if outcome == "refused":
        again = call(clone, *stage.command)
        if again.returncode or content(clone, *stage.outs) != wanted:
            outcome, said = "lost", f"{said}\nand the rerun: {again.stderr}"
    tally.count(outcome, case, said)


def _restore(source: Path, clone: Path, stage: Stage) -> None:
    """Give the next stage what this one should have written."""
    remove(clone, *stage.outs)
    for name in content(source, *stage.outs):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, clone / name)


def _mounted(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
