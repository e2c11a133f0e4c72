"""What a person reads: tables, and the circumstances without which no number means anything."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from typing import Any

LIBRARIES = "numpy scipy librosa soxr jax jaxlib tensorflow-cpu keras".split()


def table(head: list[str], rows: list[list]) -> str:
    """Markdown, the first column of words and the others of numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in [head, rule, *rows])


def quiet(others: float) -> str:
    """Say whether the machine was."""
    verdict = "quiet" if others < 0.1 else "**not quiet: measure again**"
    return f"Other processes used up to {others:.2f} cores meanwhile: {verdict}.\n"


def rounded(value: Any) -> Any:
    """Every float inside, to four digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def machine() -> dict:
    """Processor, cores, memory and versions."""
    listed = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    facts = dict(re.findall(r"(?m)^\s*([^:\n]+):\s*(.+)$", listed))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": f"{facts['Model name']}, family {facts.get('CPU family', '?')}",
        "caches": {
            key: text.split(" (")[0]
            for key, text in facts.items()
            if re.fullmatch(r"L\d\w? cache", key)
        },
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        "versions": {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES},
    }


def circumstances(command: list[str]) -> str:
    """The machine and the command, to be put below the tables."""
    facts = machine()
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    return (
        f"## Measured on\n\n{facts['processor']}, {facts['cores']} cores ({caches}), "
        f"{facts['memory_gb']} GB of memory, {facts['system']}.\n{versions}.\n\n"
        f"    {' '.join(command)}\n"
    )
