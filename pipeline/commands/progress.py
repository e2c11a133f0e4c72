"""Progress: where a training in the background stands.

Not a stage. It reads the checkpoints that the training writes every half minute, and disturbs
nothing.
"""

import sys
import time
from pathlib import Path

from pipeline import text
from pipeline.errors import InputError
from pipeline.files import checkpoints
from pipeline.files.checkpoints import Plan, Standing

MODELS = Path("models")
SILENT = 600  # seconds without a checkpoint after which a training has probably ended


def progress(run: str) -> None:
    """Show where the training of a run stands.

    Each fold and seed has a line with its last epoch that was kept, and what was measured in it;
    the last line gives the time left, by the speed until now.

    Parameters
    ----------
    run : str
        Name of a run in models, or its folder, models/RUN.

    Raises
    ------
    InputError
        If no training of the run was begun.
    """
    bundle = Path(run) if len(Path(run).parts) > 1 else MODELS / run
    folder = bundle.with_name(f".{bundle.name}.part") / checkpoints.FOLDER
    plans = checkpoints.plans(folder)
    if not plans:
        if (bundle / "card.json").is_file():
            sys.stdout.write(f"{bundle}: finished; ser predict {bundle} asks it\n")
            return
        begun = {path.parents[1].name[1:-5] for path in bundle.parent.glob(".*.part/*/*.plan")}
        known = sorted(begun | {path.parent.name for path in bundle.parent.glob("*/card.json")})
        raise InputError(f"{bundle}: no training has begun; {text.nearest(bundle.name, known)}")
    standings = checkpoints.standings(folder)
    for plan in plans:
        for name in plan.names:
            sys.stdout.write(f"{name:10}{_words(standings.get(name), plan)}\n")
    kept = max(path.stat().st_mtime for path in folder.iterdir())
    sys.stdout.write(f"{bundle}: {_whole(plans, standings, kept)}\n")


def _words(standing: Standing | None, plan: Plan) -> str:
    """Where one fold and seed stands."""
    if standing is None:
        return "no checkpoint yet"
    done = "finished" if standing.finished else f"epoch {standing.epoch} of {plan.epochs}"
    shown = [f"{name} {standing.row[name]:.3f}" for name in plan.shown if name in standing.row]
    return ", ".join([done, *shown])


def _whole(plans: list[Plan], standings: dict[str, Standing], kept: float) -> str:
    """Epochs of all, the time left, and how old the last checkpoint is."""
    counts, left = [], [0.0]
    for plan in plans:
        total = len(plan.names) * plan.epochs
        found = [standings[name] for name in plan.names if name in standings]
        done = sum(plan.epochs if one.finished else one.epoch for one in found)
        counts.append((done, total))
        if done > plan.done:
            left.append((total - done) * (kept - plan.begun) / (done - plan.done))
        elif done < total:
            left.append(float("inf"))
    done, total = (sum(numbers) for numbers in zip(*counts, strict=True))
    silent = time.time() - kept
    words = [f"{done} of {total} epochs"]
    if silent > SILENT:
        words.append(
            f"nothing was kept for {text.duration(silent)}: the training has probably ended; "
            "dvc repro goes on from here"
        )
    elif max(left) < float("inf"):
        words.append(f"about {text.duration(max(0, max(left) - silent))} left")
    return ", ".join(words)
