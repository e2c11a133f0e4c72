"""Tables over many runs, each of runs of one kind: emotions, or attributes."""

from collections.abc import Sequence
from itertools import product

from pipeline.protocols.vocabulary import LEAKS
from pipeline.reporting import floors, pairs, wording
from pipeline.reporting.across import Transfer
from pipeline.reporting.results import DASH, PICKED, Recorded, Result, Run, state
from pipeline.reporting.tabular import CROSS, Cell, Column, Table
from pipeline.scoring.target import Measure, Target

# parents are stated at each run; they are seldom anything but apart
SHARED = tuple(kind for kind in LEAKS if kind != "parent")


def results(kind: type[Target], found: list, name: str, places: dict[str, str]) -> Table:
    """Every run with its figures, its protocol, and what test shares with training.

    Parameters
    ----------
    kind : type of Target
    found : list of Result
    name : str
        Name of the table.
    places : dict of str to str
        Id on the page of each run.
    """
    measures = _measures(found)
    columns = [Column("Run", notes="model and corpus"), Column("Honest?")]
    columns += [
        Column(f"{measure.name}{kind.UNIT}", True, notes=measure.second_name)
        for measure in measures
    ]
    columns += [Column("Floors", notes="below"), Column("Protocol"), Column("Folds", True)]
    columns += [Column("Test shares with training", notes="not checkable")]
    made = [result for result in found if isinstance(result, Recorded)]
    if made:
        columns.append(Column("How it was made", notes="by what"))
    rows = []
    for result in found:
        row = [_run(result, places[result.name]), _honest(result)]
        row += [_score(result, measure) for measure in measures]
        row += [_floors(result), Cell(result.protocol), Cell(result.folds_in_words)]
        row.append(shared(result))
        if isinstance(result, Recorded):
            row.append(Cell(result.how["note"], notes=(result.made,)))
        rows.append(row)
    return Table(name, f"Results of runs on {kind.KIND}", tuple(columns), rows, blocks=True)


def costs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Pairs (not honest, honest) of the same model and corpus, with a measure in common."""
    return [
        (leaky, honest)
        for leaky, honest in product(runs, runs)
        if leaky.title == honest.title
        and set(leaky.measures) & set(honest.measures)
        and not (leaky.partial or honest.partial)
        and leaky.objections
        and not honest.objections
    ]


def leak_costs(kind: type[Target], found: list[Run]) -> Table:
    """What is left of a leaky number when the same model is tested honestly."""
    measures = _measures(found)
    rows = [
        [
            Cell(leaky.title),
            Cell(leaky.name, notes=(", ".join(leaky.objections),), code=True),
            Cell(honest.name, notes=(honest.protocol,), code=True),
            *(cell for measure in measures for cell in _change(leaky, honest, measure)),
        ]
        for leaky, honest in costs(found)
    ]
    columns = (
        Column("Model and corpus"),
        Column("Leaky", notes="why"),
        Column("Honest", notes="protocol"),
        *_three(measures, "leaky", "honest", wording.of(kind).difference),
    )
    return Table(f"leaky-and-honest-{kind.KIND}", "Leaky against honest", columns, rows)


def run_against_run(kind: type[Target], found: list[Run]) -> Table:
    """Every two runs on the same clips in the same folds."""
    rows = []
    for pair in pairs.compared(found):
        gap, interval, *p_values = wording.pair_cells(pair)
        named = [Cell(pair.first.name, code=True), Cell(pair.second.name, code=True)]
        shown = Cell(gap, interval if interval != DASH else "", strong=pair.supported)
        rows.append([*named, Cell(pair.measure.name), shown, *map(Cell, p_values)])
    columns = (
        *(Column(heading) for heading in ("First", "Second", "Measure")),
        Column("Difference", True),
        *(Column(heading, True) for heading in ("p", "p, adjusted", "p, McNemar")),
    )
    return Table(f"run-against-run-{kind.KIND}", "Run against run", columns, rows)


def published(kind: type[Target], found: list, name: str) -> Table:
    """Published results next to ours."""
    measures = _measures(found)
    rows = []
    for result in found:
        for line in result.facts["published"]:
            differs = wording.differs(result, line)
            ours = (wording.ours_in_words(result),)
            ours += (f"not compared: {differs}",) if differs else ()
            row = [Cell(result.name, notes=(result.title,), code=True)]
            row += [Cell(ours[0], notes=ours[1:]), Cell(line["protocol"], notes=(line["source"],))]
            for measure in measures:
                *both, change = wording.against(result, line, measure)
                row += [*map(Cell, both), Cell(change, strong=True)]
            rows.append(row)
    columns = (
        Column("Run", notes="model and corpus"),
        Column("Ours", notes="why not compared"),
        Column("Published", notes="source"),
        *_three(measures, "ours", "published", wording.of(kind).difference),
    )
    return Table(name, f"Published results against ours, {kind.KIND}", columns, rows)


def others(kind: type[Target], found: list, name: str) -> Table:
    """Runs, then the reference numbers of other systems on their clips, classes and folds."""
    measures, absent = _measures(found), Cell(DASH)
    blank = [absent] * len(measures)
    sets: dict[str, tuple[list[list[Cell]], list[list[Cell]]]] = {}
    for result in found:
        theirs = [
            [Cell(system, notes=(source,)), *blank, Cell(value, notes=(figure,)), Cell(caveat)]
            for system, value, figure, caveat, source in wording.reference_cells(result)
        ]
        ours = [Cell(result.name, notes=(result.title,), code=True)]
        ours += [Cell(result.show(measure), strong=True) for measure in measures]
        sets.setdefault(str(theirs), ([], theirs))[0].append([*ours, absent, absent])
    columns = (
        Column("On the same folds", notes="model and corpus, or source"),
        *(Column(f"{measure.name}{kind.UNIT} ours", True) for measure in measures),
        Column("Theirs, %", True, notes="figure"),
        Column("Caveat"),
    )
    rows = [row for ours, theirs in sets.values() if theirs for row in ours + theirs]
    return Table(name, "Reference numbers on the folds of runs", columns, rows, prose=True)


def epochs(kind: type[Target], found: list, name: str) -> Table:
    """The last epoch and the best one of every run that was watched on test."""
    rows = [
        [
            Cell(result.name, notes=(result.title,), code=True),
            *map(Cell, cells[:-1]),
            Cell(cells[-1], strong=True),
        ]
        for result in found
        for cells in wording.level_cells(result)
    ]
    headings = ("Last epoch", "Mean ± s.d. of a fold's epochs", "Best epoch of each test fold")
    columns = (
        Column("Run", notes="model and corpus"),
        Column("On test"),
        *(Column(heading, True) for heading in (*headings, "Choosing it on test adds")),
    )
    return Table(name, f"Last and best epochs, {kind.KIND}", columns, rows)


def corpora(found: list[Result], transfers: Sequence[Transfer] = ()) -> Table:
    """Citation and licence of each corpus that was trained or tested on."""
    held = [(result.facts["corpus"], wording.sources_of(result)) for result in found]
    held += [(one.corpus, one.sources) for one in transfers]
    rows = [
        [Cell(name, notes=(corpus,)), *map(Cell, rest)]
        for corpus, name, *rest in wording.sources(held)
    ]
    columns = (Column("Corpus", notes="in params.yaml"),)
    columns += tuple(map(Column, ("Citation", "Licence", "From")))
    return Table("corpora", "Citation and licence of each corpus", columns, rows, prose=True)


def shared(result: Result) -> Cell:
    """What test clips share with training clips, of all that was checked."""
    found = {LEAKS[kind].heading: result.facts["leaks"][kind] for kind in SHARED}
    touched = [f"{name} {wording.leak_percent(leak)}" for name, leak in found.items()
               if state(leak) == "shared"]  # fmt: skip
    unknown = [name for name, leak in found.items() if state(leak) == "unknown"]
    notes = (f"not checkable: {', '.join(unknown)}",) if unknown else ()
    serious = any(
        state(result.facts["leaks"][kind]) == "shared" and not LEAKS[kind].tolerated
        for kind in SHARED
    )
    tone = "bad" if serious else "" if touched or unknown else "good"
    return Cell(", ".join(touched) or "nothing", notes=notes, tone=tone)


def _run(result: Result, place: str) -> Cell:
    """Name of a run, which leads to it."""
    return Cell(result.name, notes=(result.title,), code=True, link=place)


def _honest(result: Result) -> Cell:
    """Whether a number is an honest one."""
    if not result.objections:
        return Cell("yes", tone="good")
    return Cell("no", tone="bad", mark=PICKED if PICKED in result.objections else "")


def _score(result: Result, measure: Measure) -> Cell:
    """A measure with its interval and what stands next to it."""
    if measure not in result.measures:
        return Cell(DASH)
    second = f"{measure.second_name} {result.target.show(result.metrics[measure.second])}"
    over = () if result.over_speakers else ("interval over clips",)
    over += tuple(filter(None, [result.over_seeds(measure)]))
    shown, interval = result.show(measure), result.interval(measure)
    return Cell(shown, interval, (second, *over), strong=True)


def _floors(result: Result) -> Cell:
    """Floors of a result, and which it is below."""
    below = floors.below_words(result)
    words = "; ".join(floors.floor_words(result)) or DASH
    return Cell(words, notes=(f"{CROSS} {below}",) if below else ())


def _change(leaky: Run, honest: Run, measure: Measure) -> list[Cell]:
    """A measure of two runs and what is lost from one to the other."""
    lost = Cell(wording.change(leaky, honest, measure), strong=True)
    return [Cell(leaky.show(measure)), Cell(honest.show(measure)), lost]


def _three(measures: list[Measure], one: str, other: str, third: str) -> list[Column]:
    """Three columns for each measure."""
    return [
        Column(f"{measure.name} {what}", True)
        for measure in measures
        for what in (one, other, third)
    ]


def _measures(found: list) -> list[Measure]:
    """Measures that one of the results has, in the order of their kind."""
    kind = type(found[0].target)
    return [m for m in kind.MEASURES if any(m in result.measures for result in found)]
