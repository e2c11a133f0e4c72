"""A measurement in a process of its own, so that none profits from another's memory or caches."""

import importlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A process starts as after a fresh login: no compiled programs kept, no setting of a library.
LEFT_OUT = ("GLIBC_", "JAX_", "KERAS_", "MALLOC_", "OMP_", "OPENBLAS_", "TF_", "XLA_")


@dataclass(frozen=True)
class Apart:
    """What a function returned, the whole life of its process, and the memory it had at most.

    ``others`` is how many cores were busy for other processes meanwhile: 0 on a quiet machine.
    """

    answer: Any
    seconds: float
    peak_mb: int
    others: float


def apart(place: str, *arguments, cores: int = 0, **environment: str) -> Apart:
    """Call ``tests.bench.PLACE(*arguments)``, as ``engine.plain``, in a process of its own.

    It may use so many ``cores``, or all.
    """
    clean = {key: text for key, text in os.environ.items() if not key.startswith(LEFT_OUT)}
    start, busy = time.perf_counter(), _busy_for_others()
    done = subprocess.run(
        [sys.executable, "-m", __name__, place, json.dumps(arguments), str(cores)],
        env=clean | {"TF_CPP_MIN_LOG_LEVEL": "2"} | environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    others = max(0.0, _busy_for_others() - busy) / seconds
    if done.returncode:
        sys.exit(f"{place}{arguments}: {done.stderr}")
    answer, peak_mb = json.loads(done.stdout.splitlines()[-1])
    print(f"{place}{arguments} {seconds:.1f} s, {others:.2f} cores for others", file=sys.stderr)
    return Apart(answer, seconds, peak_mb, others)


def _busy_for_others() -> float:
    """Seconds of cores spent so far, by all processes but the ones started and ended here."""
    counted = [int(text) for text in Path("/proc/stat").read_text().split()[1:9]]
    _user, _nice, _system, idle, waiting, *_ = counted
    ticks = sum(counted) - idle - waiting
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") - children.ru_utime - children.ru_stime


if __name__ == "__main__":
    available = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, available[: int(sys.argv[3]) or None])
    module, function = sys.argv[1].split(".")
    measured = getattr(importlib.import_module(f"tests.bench.{module}"), function)
    returned = measured(*json.loads(sys.argv[2]))
    print(json.dumps([returned, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
