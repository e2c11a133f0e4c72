"""What a person reads: one self-contained page and a summary in markdown.

Everything comes from the folders ``reports/runs/RUN/`` that the evaluate stage wrote and from those
that were recorded, ``reports/recorded/RUN/``. The page fetches nothing, runs no script and does not
say when it was written, so that equal results give equal bytes. Confusion matrices are HTML tables,
because a table can be read aloud and restyled; all else is inline SVG.
"""

import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import params
from pipeline.errors import InputError
from pipeline.files import tables

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.axes import Axes

# Colours by role. Figures are drawn in the light ones, which then become CSS variables, so that one
# drawing serves both schemes. Text on paper has a contrast of 4.5 or more in both.
LIGHT = {
    "paper": "#fcfbf8",
    "ink": "#1d1c1a",
    "muted": "#646058",
    "rule": "#dcd8ce",
    "accent": "#1b5e78",
    "warn": "#b03a12",
}
DARK = {
    "paper": "#161513",
    "ink": "#e9e6df",
    "muted": "#a6a197",
    "rule": "#3a3732",
    "accent": "#79bfd8",
    "warn": "#f2956d",
}

# Kinds of leak: heading of the column, and which test clips are touched.
LEAKS = {
    "clip": ("Clip", "that lie in training themselves"),
    "pcm": ("PCM", "whose samples lie in training under another name"),
    "near": ("Near", "whose take lies in training in other samples"),
    "speaker": ("Speaker", "whose speaker is heard in training"),
    "sentence": ("Sentence", "whose sentence is heard in training"),
    "session": ("Session", "whose session is heard in training"),
    "utterance": ("Repetition", "with another take of the same utterance in training"),
    "parent": ("Parent", "made by augmentation of the same clip as one in training"),
}
POOL = "unlabeled_"  # in front of a kind: what is shared with clips learnt from without labels
# A number is honest only if these are apart; a repetition cannot be shared where no speaker is.
HELD_AGAINST = {
    "clip": "clips",
    "pcm": "recordings",
    "near": "takes",
    "speaker": "speakers",
    "parent": "augmented clips",
}
TOLERATED = ("sentence", "session")  # reported only: acted corpora share their sentences
SELECTION = {
    "last": "last epoch",
    "best_validation": "epoch picked on validation",
    "leaky": "epoch picked on test",
}
PICKED = "picked on test"
# What is measured after each epoch: prefix of the column, colour, words.
SERIES = (
    ("", "accent", "training"),
    ("validation_", "ink", "validation"),
    ("test_", "warn", "test"),
)

# What becomes of the clips by the length policy of their waveforms.
LENGTHS = {
    "centre": "brought to {:.2f} s about their middle",
    "start": "brought to {:.2f} s from their start",
    "whole": "taken whole",
    "segments": "taken whole, in pieces of {:.2f} s",
}

# What the files of any result hold, and what those of a run hold besides.
FACTS = (
    "model corpus selection weights training folds clips speakers leaks length published"
).split()
RUN_FACTS = (
    "waveform feature protocol protocol_settings settings seeds parameters input_shape labels "
    "device backend certificate provenance quality versions"
).split()
METRICS = "uar uar_low uar_high war war_low war_high chance_uar majority_war".split()
RUN_METRICS = (
    "macro_f1 uar_fold_mean uar_fold_std war_fold_mean war_fold_std uar_fold_01 war_fold_01"
).split()
HOW = "hardware cores backend seconds command commit date note".split()


@dataclass(frozen=True)
class Result:
    """What is said of a run wherever it was made, from files that were read and checked."""

    name: str
    facts: dict[str, Any]  # run.json
    metrics: dict[str, float]  # metrics.json, shares 0..1

    @property
    def title(self) -> str:
        """Model and corpus: runs that share it differ in protocol or settings only."""
        return f"{self.facts['model']} on {self.facts['corpus']}"

    @property
    def speakers(self) -> str:
        """Whether test speakers are heard in training, in plain words."""
        words = {"apart": "held out", "shared": "shared", "unknown": "not known"}
        return f"speakers {words[state(self.facts['leaks']['speaker'])]}"

    @property
    def protocol(self) -> str:
        """The protocol in plain words, from what was checked and not from what it is called."""
        words = [self.speakers]
        if self.facts["weights"]:
            words.append("imported weights")
        if not self.facts["weights"] or self.facts["selection"] == "leaky":
            words.append(SELECTION[self.facts["selection"]])
        if self.facts.get("quality", {}).get("partial"):
            words.append("part of the corpus")
        return ", ".join(words)

    @property
    def objections(self) -> list[str]:
        """Why the number is not an honest one; empty if it is."""
        leaks = self.facts["leaks"]
        against = {kind: what for kind, what in HELD_AGAINST.items() if kind in leaks}
        against |= {
            POOL + kind: f"unlabelled {what}"
            for kind, what in HELD_AGAINST.items()
            if POOL + kind in leaks
        }
        states = {what: state(leaks[kind]) for kind, what in against.items()}
        found = [f"{what} shared" for what, how in states.items() if how == "shared"]
        found += [f"{what} not known" for what, how in states.items() if how == "unknown"]
        if self.facts["weights"]:
            found.append("trained elsewhere")  # the certificate cannot vouch for that training
        return found + ([PICKED] if self.facts["selection"] == "leaky" else [])

    @property
    def epochs(self) -> int:
        """Epochs that every fold was trained for; 0 for imported weights."""
        return self.facts["training"]["epochs"] if self.facts["training"] else 0


@dataclass(frozen=True)
class Recorded(Result):
    """One run of ``reports/recorded``: what evaluate wrote then, and how it was made."""

    how: dict[str, Any]  # how.json

    @property
    def made(self) -> str:
        """Hardware, time and day in words."""
        cores = f"{self.how['cores']} core{'s' if self.how['cores'] > 1 else ''}"
        words = [self.how["hardware"], cores, self.how["backend"]]
        if self.how["seconds"] is not None:
            words.append(duration(self.how["seconds"]))
        return ", ".join([*words, self.how["date"]])


@dataclass(frozen=True)
class Run(Result):
    """One run of params.yaml, with what its figures are drawn from."""

    confusion: list[list[int]]  # [true][predicted], clips, in the order of the labels
    history: "pd.DataFrame"  # one row per fold and epoch, numbers, NaN where empty

    @property
    def measured(self) -> list[str]:
        """Columns of the history that hold anything."""
        return list(self.history.columns[self.history.notna().any()])

    @property
    def folds(self) -> list[tuple[str, float, float]]:
        """Fold number, UAR, WAR."""
        numbers = sorted(
            key.removeprefix("uar_fold_") for key in self.metrics if re.match(r"uar_fold_\d", key)
        )
        return [(n, self.metrics[f"uar_fold_{n}"], self.metrics[f"war_fold_{n}"]) for n in numbers]


def report(
    reports: Path, recorded: Path, html: Path, markdown: Path, *, runs: dict[str, params.Run]
) -> None:
    """Write the page and the summary over the results of all runs, and over those recorded.

    Parameters
    ----------
    reports : Path
        Folder with one folder per run, as evaluate wrote them.
    recorded : Path
        Folder with one folder per recorded run, as ``ser record`` wrote them; there may be none.
    html, markdown : Path
        ``index.html`` and ``summary.md`` to write.
    runs : dict, at least one
        Lines of params.yaml; runs of one model and corpus are moved next to the first of them.

    Raises
    ------
    InputError
        If no run is named, or a folder is missing, incomplete or broken.
    """
    if not runs:
        raise InputError(f"{reports}: no run to report; name one under runs in params.yaml")
    if not Path(recorded).is_dir():
        raise InputError(f"{recorded}: no such folder; take it back from git")
    found = _together([read_run(Path(reports) / name) for name in runs])
    folders = sorted(path for path in Path(recorded).iterdir() if path.is_dir())
    # a hidden one was left by `ser record` when it was killed
    kept = _together([read_recorded(path) for path in folders if path.name[0] != "."])
    for path, text in {html: page(found, kept), markdown: summary(found, kept)}.items():
        with tables.replacing(path) as aside:
            aside.write_text(text, encoding="utf-8", newline="\n")


def _together(results: list) -> list:
    """Results of one model and corpus side by side, otherwise as given."""
    titles = [result.title for result in results]
    return sorted(results, key=lambda result: titles.index(result.title))


def read_run(folder: Path) -> Run:
    """Read and check the folder of one run.

    Parameters
    ----------
    folder : Path
        Holds ``run.json``, ``metrics.json``, ``predictions.csv`` and ``history.csv``.

    Raises
    ------
    InputError
        Naming the file, what is wrong with it, and the command that makes it again.
    """
    try:
        return _run(folder)
    except InputError as error:
        raise InputError(f"{error}; run dvc pull, or dvc repro evaluate@{folder.name}") from None


def read_recorded(folder: Path) -> Recorded:
    """Read and check the folder of one recorded run.

    Parameters
    ----------
    folder : Path
        Holds ``run.json``, ``metrics.json`` and ``how.json``.

    Raises
    ------
    InputError
        Naming the file, what is wrong with it, and how it is mended.
    """
    try:
        _there(folder, "run.json", "metrics.json", "how.json")
        facts, metrics = _result(folder)
        how = tables.read_json(folder / "how.json")
        _need(folder, "how.json", HOW, how)
    except InputError as error:
        raise InputError(
            f"{error}; take it back from git, or record the run again (ser record --help)"
        ) from None
    return Recorded(folder.name, facts, metrics, how)


def _run(folder: Path) -> Run:
    """Read a run; what is wrong is raised without the remedy."""
    _there(folder, "run.json", "metrics.json", "predictions.csv", "history.csv")
    facts, metrics = _result(folder)
    predictions = tables.read(folder / "predictions.csv")
    history = tables.read(folder / "history.csv")
    _need(folder, "run.json", RUN_FACTS, facts)
    _need(folder, "run.json quality", ["quarantined", "duplicates"], facts["quality"])
    _need(folder, "metrics.json", RUN_METRICS, metrics)
    _need(folder, "predictions.csv", ["label", "predicted"], predictions)
    _need(folder, "history.csv", ["fold", "epoch", "loss", "accuracy"], history)

    pairs = Counter(zip(predictions["label"], predictions["predicted"], strict=True))
    strange = sorted({label for pair in pairs for label in pair} - set(facts["labels"]))
    if strange:
        raise InputError(f"{folder}: predictions.csv: label {strange[0]!r} is not one of run.json")
    try:
        history = history.replace("", "nan").astype(float)
    except ValueError as error:
        raise InputError(f"{folder}: history.csv: {error}") from None
    return Run(
        name=folder.name,
        facts=facts,
        metrics=metrics,
        confusion=[[pairs[true, guess] for guess in facts["labels"]] for true in facts["labels"]],
        history=history,
    )


def _result(folder: Path) -> tuple[dict, dict]:
    """Facts and metrics of a result."""
    facts = tables.read_json(folder / "run.json")
    metrics = tables.read_json(folder / "metrics.json")
    _need(folder, "run.json", FACTS, facts)
    _need(folder, "run.json leaks", list(LEAKS), facts["leaks"])
    _need(folder, "metrics.json", METRICS, metrics)
    for key, found, known in (
        ("selection", facts["selection"], SELECTION),
        ("length.policy", facts["length"].get("policy"), LENGTHS),
    ):
        if found not in known:
            raise InputError(
                f"{folder}: run.json: {key} is {found!r}, wanted one of {', '.join(known)}"
            )
    return facts, metrics


def _there(folder: Path, *names: str) -> None:
    """Refuse a folder that lacks a file."""
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing")


def _need(folder: Path, name: str, keys: list[str], present: Any) -> None:
    """Refuse a file that lacks a key or a column."""
    missing = [key for key in keys if key not in present]
    if missing:
        raise InputError(f"{folder}: {name} has no {', '.join(missing)}")


def summary(runs: list[Run], recorded: list[Recorded]) -> str:
    """Markdown: headline table, and published against ours; the same of what was recorded.

    Parameters
    ----------
    runs : list of Run
        At least one.
    recorded : list of Recorded
        Without any, nothing is said of them.
    """
    text = markdown_table(*_headlines(runs))
    text += "\nUAR and WAR over all held-out clips; in brackets the 95 % interval over speakers.\n"
    text += _published(runs)
    if recorded:
        head, rows = _headlines(recorded)
        head += ["Epochs", "Hardware", "Note"]
        for result, row in zip(recorded, rows, strict=True):
            row += [str(result.epochs or "\N{EN DASH}"), result.made, result.how["note"]]
        text += "\n**Recorded on real corpora**, and not computed again here:\n\n"
        text += markdown_table(head, rows) + _published(recorded)
    return text


def _headlines(results: list[Result]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of results."""
    head = ["Run", "Model", "Corpus", "Protocol", "UAR %", "WAR %", "Folds", "Honest"]
    return head, [
        [
            result.name,
            result.facts["model"],
            result.facts["corpus"],
            result.protocol,
            f"**{percent(result.metrics['uar'])}** {interval(result, 'uar')}",
            f"**{percent(result.metrics['war'])}** {interval(result, 'war')}",
            str(result.facts["folds"]),
            "no: " + ", ".join(result.objections) if result.objections else "yes",
        ]
        for result in results
    ]


def _published(results: list[Result]) -> str:
    """Published against ours, a table after an empty line; nothing where nothing is published."""
    rows = [
        [
            result.name,
            ours_in_words(result),
            published["protocol"],
            *(cell for metric in ("uar", "war") for cell in against(result, published, metric)),
            published["source"],
        ]
        for result in results
        for published in result.facts["published"]
    ]
    head = ["Run", "Ours", "Published", "UAR % ours", "published", "difference"]
    head += ["WAR % ours", "published", "difference", "Source"]
    return "\n" + markdown_table(head, rows) if rows else ""


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a GitHub table; what would end a cell or start HTML is escaped."""

    def line(cells: list[str]) -> str:
        safe = (" ".join(cell.split()).replace("&", "&amp;").replace("<", "&lt;") for cell in cells)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in safe) + " |\n"

    return "".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def page(runs: list[Run], recorded: list[Recorded]) -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    runs : list of Run
        At least one.
    recorded : list of Recorded
        Without any, their section is absent.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "points": points, "flat": flat}
    template = Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        runs=runs,
        recorded=recorded,
        light=LIGHT,
        dark=DARK,
        leaks=LEAKS,
        columns=[
            kind for kind in LEAKS if kind != "parent"
        ],  # told below; seldom anything but apart
        series=SERIES,
        tolerated=TOLERATED,
        picked=PICKED,
        costs=costs(runs),
        overview=overview_figure(runs),
        figures=[(folds_figure(run), curve_figures(run)) for run in runs],
        against=against,
        interval=interval,
        state=state,
        leak_share=leak_share,
        leak_words=leak_words,
        use_words=use_words,
        pool=POOL,
        length_words=length_words,
        quarantined=quarantined,
        ours_in_words=ours_in_words,
    )


def costs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Pairs (not honest, honest) of the same model and corpus."""
    return [
        (leaky, honest)
        for leaky, honest in product(runs, runs)
        if leaky.title == honest.title and leaky.objections and not honest.objections
    ]


def ours_in_words(result: Result) -> str:
    """Our protocol with folds and epochs, to stand beside a published number."""
    folds = f"{result.facts['folds']} folds, " if result.facts["folds"] > 1 else "one split, "
    return folds + result.protocol + (f", {result.epochs} epochs" if result.epochs else "")


def percent(share: float) -> str:
    """Format 0..1 as percent with one decimal, without the sign."""
    return f"{100 * share:.1f}"


def points(difference: float) -> str:
    """Format a difference of percentages, signed, with a true minus; a rounded 0 has none."""
    return f"{difference:+z.1f}".replace("-", "\N{MINUS SIGN}")


def duration(seconds: int) -> str:
    """Format seconds by their two largest units.

    >>> duration(45), duration(130), duration(11430)
    ('45 s', '2 min 10 s', '3 h 10 min')
    """
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def interval(result: Result, metric: str) -> str:
    """Format the 95 % interval of ``uar`` or ``war``: ``[88.1, 94.0]``."""
    low, high = (percent(result.metrics[f"{metric}_{end}"]) for end in ("low", "high"))
    return f"[{low}, {high}]"


def against(result: Result, published: dict[str, Any], metric: str) -> tuple[str, str, str]:
    """Ours, the published figure and the difference in points; dashes where nothing was said."""
    ours, theirs = 100 * result.metrics[metric], published.get(metric)
    if theirs is None:
        return f"{ours:.1f}", "\N{EN DASH}", "\N{EN DASH}"
    return f"{ours:.1f}", f"{theirs:.1f}", points(ours - theirs)


def state(leak: dict[str, Any] | None) -> str:
    """Reduce one kind of leak to a word: ``apart``, ``shared`` or ``unknown``.

    >>> state({"clips": 0, "unlabelled": 12})
    'unknown'
    """
    if leak is None:
        return "unknown"
    if leak["clips"]:
        return "shared"
    unchecked = leak.get("unlabelled") or leak.get("unlabelled_training")
    return "unknown" if unchecked else "apart"


def leak_share(leak: dict[str, Any]) -> str:
    """Format the share of test clips touched: ``91 %``, or ``<1 %`` rather than a false 0."""
    share = 100 * leak["clips"] / leak["of"]
    return "<1 %" if share < 1 else f"{share:.0f} %"


def leak_words(kind: str, leak: dict[str, Any] | None) -> str:
    """Say in a sentence what the certificate found about one kind of leak."""
    _, what = LEAKS[kind.removeprefix(POOL)]
    if leak is None:
        return "Not checkable: the corpus does not say."
    if kind.startswith(POOL):
        what = what.replace("training", "the unlabelled clips")
    words = f"Test clips {what}: {leak['clips']} of {leak['of']}"
    if leak["clips"]:
        words += f", {'declared' if leak['allowed'] else 'not declared'} by the protocol"
    if leak.get("unlabelled"):
        words += f"; {leak['unlabelled']} have no label and went unchecked"
    if leak.get("unlabelled_training"):
        words += f"; {leak['unlabelled_training']} learnt from have no label and went unchecked"
    return words + "."


def use_words(purpose: str, use: dict[str, int]) -> str:
    """Say in a sentence on how many clips something rests, of all folds together.

    >>> use_words("selection", {"clips": 0, "test": 0})
    'Rests on no clips.'
    """
    if not use["clips"]:
        return "Rests on no clips."
    met = f"{use['test']} of them are" if use["test"] else "none of them is"
    return f"Rests on {use['clips']} clips over all folds; {met} tested in the same fold."


def length_words(length: dict[str, Any]) -> str:
    """Say in a sentence how many clips were cut and padded, and by how much."""
    seconds = (length["samples"] or 0) / length["sample_rate"]
    words = f"Clips {LENGTHS[length['policy']].format(seconds)}: "
    words += f"{length['cut'] or 'none'} of {length['clips']} cut"
    if length["cut"]:
        words += f", by up to {length['largest_cut']:.2f} s"
    words += f"; {length['padded'] or 'none'} padded"
    if length["padded"]:
        words += f", by {length['median_padding']:.2f} s in the median"
    return words + "."


def quarantined(run: Run) -> int:
    """Count the clips set aside, whether the quality names them or only counts them."""
    found = run.facts["quality"]["quarantined"]
    return found if isinstance(found, int) else len(found)


def flat(value: Any, place: str = "") -> list[tuple[str, str]]:
    """Flatten nested settings to rows of text.

    >>> flat({"adam": {"beta": 0.9}, "shape": [196, 39]})
    [('adam.beta', '0.9'), ('shape', '196, 39')]
    """
    if isinstance(value, dict):
        rows = (
            flat(inner, f"{place}.{key}" if place else str(key)) for key, inner in value.items()
        )
        return [row for part in rows for row in part]
    return [(place, ", ".join(map(str, value)) if isinstance(value, list) else str(value))]


# Figures are 360 units wide, about a pixel each on a phone, so that text stays legible there.


def overview_figure(runs: list[Run]) -> "Markup":
    """All runs, one band each: UAR and WAR with intervals, and the floor under each."""

    def draw(axes: "Axes") -> None:
        for row, run in enumerate(runs):
            colour = LIGHT["warn" if run.objections else "accent"]
            axes.text(0, row - 0.3, run.name, weight="bold", parse_math=False)
            axes.text(100, row - 0.3, run.speakers, ha="right", color=LIGHT["muted"])
            for y, metric, floor, fill in (
                (row, "uar", "chance_uar", colour),
                (row + 0.24, "war", "majority_war", LIGHT["paper"]),
            ):
                low, value, high, base = (
                    100 * run.metrics[key]
                    for key in (f"{metric}_low", metric, f"{metric}_high", floor)
                )
                axes.plot([0, 100], [y, y], color=LIGHT["rule"], linewidth=0.8)
                axes.plot([base, base], [y - 0.09, y + 0.09], color=LIGHT["muted"], linewidth=1.6)
                axes.plot([low, high], [y, y], color=colour, linewidth=2.2)
                axes.plot(value, y, "o", color=colour, markerfacecolor=fill, markersize=6.5)
        axes.set(xlim=(0, 100), ylim=(len(runs) - 0.5, -0.62), yticks=[], xlabel="percent")
        axes.spines["left"].set_visible(False)

    words = "; ".join(
        f"{run.name}: UAR {percent(run.metrics['uar'])} {interval(run, 'uar')}, chance "
        f"{percent(run.metrics['chance_uar'])}, WAR {percent(run.metrics['war'])} "
        f"{interval(run, 'war')}, majority class {percent(run.metrics['majority_war'])}"
        for run in runs
    )
    return drawing(
        draw, f"UAR and WAR of every run in percent. {words}", 50 * len(runs) + 36, left=8
    )


def folds_figure(run: Run) -> "Markup":
    """UAR and WAR of each fold over the pooled values."""
    numbers, uar, war = zip(*run.folds, strict=True)

    def draw(axes: "Axes") -> None:
        places = range(1, len(numbers) + 1)
        axes.axhline(100 * run.metrics["uar"], color=LIGHT["accent"], linewidth=0.8)
        axes.axhline(100 * run.metrics["war"], color=LIGHT["accent"], linewidth=0.8, dashes=(2, 3))
        axes.vlines(places, [100 * u for u in uar], [100 * w for w in war], color=LIGHT["rule"])
        axes.plot(places, [100 * u for u in uar], "o", color=LIGHT["accent"], markersize=5.5)
        axes.plot(places, [100 * w for w in war], "o", color=LIGHT["accent"], markersize=5.5,
                  markerfacecolor=LIGHT["paper"])  # fmt: skip
        axes.margins(y=0.15)
        axes.set(xlabel="fold", xlim=(0.5, len(numbers) + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True)

    words = "; ".join(f"{n}: {percent(u)}, {percent(w)}" for n, u, w in run.folds)
    return drawing(draw, f"UAR and WAR of {run.name} by fold in percent: {words}", 150)


def curve_figures(run: Run) -> list["Markup"]:
    """Loss and accuracy over the epochs: thin lines for folds, a thick one for their mean."""
    if run.history.empty:
        return []

    def curve(column: str, scale: float) -> "Markup":
        def draw(axes: "Axes") -> None:
            for prefix, role, _ in SERIES:
                if prefix + column not in run.measured:
                    continue
                values = scale * run.history.pivot(
                    index="epoch", columns="fold", values=prefix + column
                )  # (epochs, folds)
                axes.plot(values.index, values, color=LIGHT[role], linewidth=0.5, alpha=0.35)
                axes.plot(values.index, values.mean(axis=1), color=LIGHT[role], linewidth=1.8)
            axes.set(xlabel="epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)

        last = run.history[run.history["epoch"] == run.history["epoch"].max()][column].mean()
        return drawing(
            draw, f"{column} of {run.name} by epoch; {scale * last:.3g} in training at the end", 170
        )

    return [curve("loss", 1), curve("accuracy", 100)]


def drawing(
    draw: Callable[["Axes"], None], words: str, height: float, *, left: float = 34
) -> "Markup":
    """Draw on axes 360 wide; return inline SVG whose colours and font are those of the page."""
    import matplotlib
    from markupsafe import Markup, escape
    from matplotlib.figure import Figure

    width, right, bottom, top = 360, 10, 34, 6
    with matplotlib.rc_context(), io.StringIO() as file:
        matplotlib.rcdefaults()  # a matplotlibrc of the reader's must not change the bytes
        matplotlib.rcParams.update(
            {
                "axes.edgecolor": LIGHT["rule"],
                "axes.labelcolor": LIGHT["muted"],
                "axes.labelsize": 10.5,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; CSS puts in its own
                "font.size": 10.5,
                "path.simplify_threshold": 0.5,
                "svg.fonttype": "none",
                "svg.hashsalt": words,  # clip paths of two figures keep apart
                "text.color": LIGHT["ink"],
                "xtick.color": LIGHT["rule"],
                "xtick.labelcolor": LIGHT["muted"],
                "ytick.color": LIGHT["rule"],
                "ytick.labelcolor": LIGHT["muted"],
            }
        )
        figure = Figure(figsize=(width / 72, height / 72))
        box = (
            left / width,
            bottom / height,
            1 - (left + right) / width,
            1 - (bottom + top) / height,
        )
        axes = figure.add_axes(box, facecolor="none")
        draw(axes)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
        svg = file.getvalue()
    svg = svg[svg.index("</defs>") + len("</defs>") :]  # HTML needs no XML header, no name spaces
    svg = re.sub(r"<[^>]*>", restyle, svg)
    head = f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(words)}">'
    return Markup(head + svg)


def restyle(tag: re.Match) -> str:
    """Rewrite one tag of matplotlib's SVG: page colours and font, 0.01 px, no ids of groups."""
    text = re.sub(r"(\.\d\d)\d+", r"\1", tag[0]).replace("'DejaVu Sans'", "var(--sans)")
    for role, colour in LIGHT.items():
        text = text.replace(colour, f"var(--{role})")
    return " ".join(re.sub(r'^<g id="[^"]*"', "<g", text).split())


if __name__ == "__main__":
    from pipeline.cli import command

    command(report)
