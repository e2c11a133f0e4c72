"""The model card of a run: what it is, how good it is, of whom, and what it must not be taken for.

Markdown with the parts that M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, ask
for, all of it from what evaluate wrote.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.protocols.vocabulary import LEAKS, leak
from pipeline.reporting import across, confidence, floors, of_run, wording
from pipeline.reporting.across import Transfer
from pipeline.reporting.results import DASH, Recorded, Result
from pipeline.reporting.summary import markdown_table
from pipeline.reporting.tabular import Cell, Table
from pipeline.scoring.targets import Emotions

MANY = 40  # groups that a card lists at most


def write(results: list, folder: Path, transfers: Sequence[Transfer] = ()) -> None:
    """Write ``RUN.md`` of each result.

    Parameters
    ----------
    results : list of Result
    folder : Path
    transfers : sequence of Transfer
        Tests on other corpora, of any run.
    """
    for result in results:
        path = folder / f"{result.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(card(result, transfers), encoding="utf-8", newline="\n")


def card(result: Result, transfers: Sequence[Transfer] = ()) -> str:
    """Give the card of a run in Markdown.

    Parameters
    ----------
    result : Result
    transfers : sequence of Transfer
        Tests on other corpora, of any run.
    """
    parts = [f"# {_safe(result.name)}\n"]
    for title, paragraphs in (
        ("What it is", _what(result)),
        ("Data", _data(result)),
        ("Protocol", _protocol(result)),
        ("Numbers", _numbers(result)),
        ("Groups", _groups(result)),
        ("Other corpora", _across([one for one in transfers if one.run == result.name])),
        ("Limits", _limits(result)),
        ("How to use it", _use(result)),
        ("How it was made", _made(result)),
    ):
        if found := [text for text in paragraphs if text]:
            parts += [f"## {title}\n", *(f"{text.rstrip()}\n" for text in found)]
    return "\n".join(parts)


def _what(result: Result) -> Iterator[str]:
    """Model, outputs and size."""
    facts, target = result.facts, result.target
    yield f"`{facts['model']}`, trained on `{facts['corpus']}`, predicts {target.KIND}: " + (
        f"{', '.join(map(_safe, target.outputs))}." if target.outputs else "not recorded."
    )
    size = facts.get("parameters")
    shape = " x ".join(map(str, facts.get("input_shape") or ()))
    if size is not None and shape:
        yield f"{size} parameters; its input is the feature `{facts['feature']}`, {shape}."
    if facts["weights"]:
        yield f"Its weights were imported: {_safe(str(facts['weights']))}."
    changed = of_run.changed(result)
    if changed.rows:
        yield "Settings that differ from the model's own:"
        yield _markdown(changed)


def _data(result: Result) -> Iterator[str]:
    """Clips, speakers, citation and licence."""
    facts = result.facts
    yield f"{facts['clips']} clips of {facts['speakers']} speakers were tested."
    yield wording.length_words(facts["length"])
    for _, name, citation, licence, address in wording.sources(
        [(result.facts["corpus"], wording.sources_of(result))]
    ):
        if name != DASH:
            said = f"{_safe(citation).rstrip('.')}. Licence: {_safe(licence)}. {_safe(address)}"
            yield f"- **{_safe(name)}**: {said}"
    yield from (f"Contradiction: {_safe(w)}" for w in wording.contradiction_words(_quality(result)))


def _protocol(result: Result) -> Iterator[str]:
    """Folds, and what test shares with training."""
    yield f"{_safe(wording.ours_in_words(result)).capitalize()}."
    if result.objections:
        yield f"**Not an honest number**: {', '.join(result.objections)}."
    else:
        yield (
            "Honest: no test clip, no copy of one and no speaker of theirs was in training, and "
            "nothing was picked on test."
        )
    leaks = result.facts["leaks"].items()
    known = [(kind, found) for kind, found in leaks if kind in LEAKS]
    yield "\n".join(
        f"- {leak(kind).heading}: {wording.leak_words(kind, found)}" for kind, found in known
    )


def _numbers(result: Result) -> Iterator[str]:
    """Metrics with intervals, classes, floors and confidence."""
    yield _markdown(of_run.metrics(result))
    yield (
        "Intervals are 95 %, over "
        f"{wording.over_words([result])}; the models are taken as they are."
    )
    classes = of_run.classes(result)
    yield _markdown(classes) if classes.rows else ""
    if words := floors.floor_words(result):
        below = floors.below_words(result)
        yield f"Floors: {'; '.join(words)}." + (f" **The run is {below}.**" if below else "")
    if isinstance(result.target, Emotions) and "ece" in result.metrics:
        error = result.target.show(result.metrics["ece"])
        yield (
            f"Calibration: confidence and accuracy differ by {error} points in the mean (expected "
            "calibration error)."
        )
        yield "" if result.predictions.empty else confidence.words(result)


def _groups(result: Result) -> Iterator[str]:
    """Measures by what the corpus states of speakers and clips."""
    for kind, found in result.groups.items():
        if len(found) <= MANY:
            yield _markdown(of_run.groups(result, kind))
        else:
            yield f"By {kind}: {len(found)} groups, in the report's tables."


def _across(transfers: list[Transfer]) -> Iterator[str]:
    """Tests on other corpora, each with what limits it."""
    for one in transfers:
        yield f"- `{_safe(one.corpus)}`, {_safe(one.ontology)}: UAR % {_safe(across.words(one))}"


def _limits(result: Result) -> Iterator[str]:
    """What the numbers do not say."""
    yield (
        "The numbers are of this corpus: its speakers, languages, microphones and way of acting. "
        "Of other recordings they promise nothing."
    )
    if isinstance(result.target, Emotions):
        yield (
            "A clip of any other emotion, of several or of none gets one of the labels all the "
            "same; silence gets no answer."
        )
    if words := wording.unlike_words(result):
        yield f"{words} `ser predict` marks such clips."
    if result.partial:
        yield f"Only {result.partial} were trained and tested."


def _use(result: Result) -> Iterator[str]:
    """Commands that predict and train again."""
    yield f"```sh\nser predict models/{result.name} CLIP.wav\ndvc repro evaluate@{result.name}\n```"
    yield "Cite the corpora above, and the publication of the model as its module names it."


def _made(result: Result) -> Iterator[str]:
    """Hardware, versions and certificate."""
    if isinstance(result, Recorded):
        commit = result.how["commit"][:12]
        yield f"{_safe(result.how['note'])}; {_safe(result.made)}; commit `{commit}`."
    facts = result.facts
    versions = [f"{name} {version}" for name, version in facts.get("versions", {}).items()]
    yield f"Versions: {', '.join(versions)}." if versions else ""
    seeds = ", ".join(map(str, facts.get("seeds", ())))
    if facts.get("certificate"):
        yield f"Seeds {seeds}; certificate of the folds `{facts['certificate']}`."


def _quality(result: Result) -> dict:
    """What is known of the corpus; nothing of runs that were recorded before it was kept."""
    return result.facts.get("quality", {})


def _markdown(table: Table) -> str:
    """Lay a table out in Markdown, intervals next to their numbers."""

    def shown(cell: Cell) -> str:
        text = f"**{cell.text}**" if cell.strong else cell.text
        return " ".join(filter(None, [text, cell.interval]))

    head = [column.heading for column in table.columns]
    return markdown_table(head, [[*map(shown, row)] for row in table.rows])


def _safe(text: str) -> str:
    """Text that starts no HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
