"""The sections of the page that are tables over many runs, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.reporting import across, floors, overviews, wording
from pipeline.reporting.across import Transfer
from pipeline.reporting.results import Recorded, Run
from pipeline.reporting.tabular import Table
from pipeline.scoring.target import Target

LEAK_COSTS = (
    "The same model on the same corpus: what is left of a leaky number when speakers are held out "
    "and nothing is picked on test."
)
AGAINST = (
    "Every two runs on the same clips in the same folds: the first less the second{points}. "
    "Interval and test are over speakers, the same ones for both runs; p is the chance of such a "
    "difference if the two were equally good, also adjusted over the table (Holm). Bold: below "
    "0.05 after that. McNemar's test, over clips, is given where folds share speakers, and says "
    "nothing about others."
)
PUBLISHED = (
    "{unit}; the difference is ours less published{points}. It is shown where corpus, classes, "
    "folds, choice and number of epochs, features and settings are those of the publication."
)
OTHERS = "{unit}, of systems that are not rebuilt here, on exactly the classes and folds of a run."
EPOCHS = (
    "{unit}, mean over folds; one epoch of a fold moves by points. The best epoch of each test "
    "fold is what a table prints that chooses the epoch on test; what that adds is optimism, not "
    "skill."
)
RECORDED = (
    "Long runs on corpora that are not part of the repository. Their results are kept as they were "
    "written then, with what made them; this report did not compute them again."
)
ACROSS = (
    "Percent; each run, trained on the corpus of its row, answers the clips of the corpus of the "
    "column, whose words and whose model's words the ontology brings to common labels. The classes "
    "are those that both have; of its own corpus a run answers held-out clips. In brackets the "
    "95 % interval over speakers, or clips where there are fewer than five of them."
)
CORPORA = "To be cited with these results. Who works with a corpus keeps to its licence."


@dataclass(frozen=True)
class Block:
    """A table with what is said of it.

    Attributes
    ----------
    title : str
        Heading; empty where that of the section suffices.
    words : str
    table : Table
    """

    title: str
    words: str
    table: Table


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    place : str
        Id on the page.
    title : str
    words : str
        Empty where each block has its own.
    blocks : tuple of Block
    """

    place: str
    title: str
    words: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Contents:
    """All sections that are tables over many runs.

    Attributes
    ----------
    places, kept : dict of str to str
        Id on the page of each run, and of each recorded one.
    of_runs, of_recorded : list of Section
    across : list of Section
        The one on tests on other corpora, if there are any.
    corpora : Section
    """

    places: dict[str, str]
    kept: dict[str, str]
    of_runs: list[Section]
    of_recorded: list[Section]
    across: list[Section]
    corpora: Section

    @property
    def tables(self) -> list[Table]:
        """Tables of all sections."""
        sections = [*self.of_runs, *self.of_recorded, *self.across, self.corpora]
        return [block.table for section in sections for block in section.blocks]


def contents(
    runs: list[Run], recorded: list[Recorded], transfers: Sequence[Transfer] = ()
) -> Contents:
    """Make all sections.

    Parameters
    ----------
    runs : list of Run
        Runs to show, one at least.
    recorded : list of Recorded
    transfers : sequence of Transfer
        Tests on other corpora.
    """
    places = {result.name: f"run-{place}" for place, result in enumerate(runs, 1)}
    kept = {result.name: f"recorded-{place}" for place, result in enumerate(recorded, 1)}
    corpora = Block("", "", overviews.corpora([*runs, *recorded], transfers))
    return Contents(
        places,
        kept,
        of_runs(runs, places),
        of_recorded(recorded, kept),
        of_transfers(across.collected([*runs, *recorded], transfers)),
        Section("corpora", "Corpora", CORPORA, (corpora,)),
    )


def of_runs(runs: list[Run], places: dict[str, str]) -> list[Section]:
    """Sections on the runs of params.yaml: results, then what they are compared with.

    Parameters
    ----------
    runs : list of Run
    places : dict of str to str
        Id on the page of each run.
    """
    kinds = wording.by_kind(runs)
    results = [
        Block("", _results_words(kind, found), overviews.results(kind, found, name, places))
        for kind, found in kinds
        for name in [f"results-{kind.KIND}"]
    ]
    made = {
        ("leaks", "What the leak costs", LEAK_COSTS): [
            (kind, overviews.leak_costs(kind, found)) for kind, found in kinds
        ],
        ("pairs", "Run against run", AGAINST): [
            (kind, overviews.run_against_run(kind, found)) for kind, found in kinds
        ],
        ("published", "Published and ours", PUBLISHED): [
            (kind, overviews.published(kind, found, f"published-{kind.KIND}"))
            for kind, found in kinds
        ],
        ("others", "Others on the same folds", OTHERS): [
            (kind, overviews.others(kind, found, f"others-{kind.KIND}")) for kind, found in kinds
        ],
        ("epochs", "The last epoch and the best", EPOCHS): [
            (kind, overviews.epochs(kind, found, f"epochs-{kind.KIND}")) for kind, found in kinds
        ],
    }
    sections = [Section("results", "Results", "", tuple(_titled(kinds, results)))]
    for (place, title, words), tables in made.items():
        blocks = [Block("", _filled(words, kind), table) for kind, table in tables]
        blocks = [block for block in _titled(kinds, blocks) if block.table.rows]
        if blocks:
            sections.append(Section(place, title, "", tuple(blocks)))
    return sections


def of_recorded(recorded: list[Recorded], places: dict[str, str]) -> list[Section]:
    """Section on recorded runs; none without any.

    Parameters
    ----------
    recorded : list of Recorded
    places : dict of str to str
        Id on the page of each.
    """
    if not recorded:
        return []
    blocks = []
    for kind, found in wording.by_kind(recorded):
        name = f"recorded-{{}}-{kind.KIND}".format
        words = _results_words(kind, found)
        blocks.append(Block("", words, overviews.results(kind, found, name("results"), places)))
        for title, words, table in (
            ("Published and ours", PUBLISHED, overviews.published(kind, found, name("published"))),
            ("Others on the same folds", OTHERS, overviews.others(kind, found, name("others"))),
            ("The last epoch and the best", EPOCHS, overviews.epochs(kind, found, name("epochs"))),
        ):
            blocks += [Block(title, _filled(words, kind), table)] if table.rows else []
    return [Section("recorded", "Recorded on real corpora", RECORDED, tuple(blocks))]


def of_transfers(found: list[Transfer]) -> list[Section]:
    """Section on tests on other corpora; none without any.

    Parameters
    ----------
    found : list of Transfer
    """
    blocks = (Block("", ACROSS, across.table(found)),)
    return [Section("across", "Across corpora", "", blocks)] if found else []


def _results_words(kind: type[Target], found: list) -> str:
    """What is said of a table of results."""
    return (
        f"{wording.of(kind).measured_in} over all held-out clips; in brackets the 95 % interval "
        f"over {wording.over_words(found)}. Floors, in {kind.MEASURES[0].name.split()[0]}: "
        f"{floors.EXPLAINED[kind.KIND]}. What test shares with training: the fraction of the test "
        "clips that it touches."
    )


def _titled(kinds: list, blocks: list[Block]) -> Iterator[Block]:
    """Blocks with their kind as a title where there are several; one for each kind."""
    for (kind, _), block in zip(kinds, blocks, strict=True):
        title = kind.KIND.capitalize() if len(kinds) > 1 else ""
        yield Block(title, block.words, block.table)


def _filled(words: str, kind: type[Target]) -> str:
    """Words with the unit of a kind."""
    of_kind = wording.of(kind)
    return words.format(unit=of_kind.measured_in, points=of_kind.in_points)
