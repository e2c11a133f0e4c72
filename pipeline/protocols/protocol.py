"""The record of a protocol: the rule by which the clips of a corpus are parted into folds."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from pipeline import settings, text
from pipeline.errors import InputError
from pipeline.protocols import ontology
from pipeline.protocols.kinds import KINDS, Kind
from pipeline.protocols.vocabulary import DECLARABLE
from pipeline.settings import setting

BY_RATINGS = "ratings"
COMMON = ("kind", "validation", "allow", "labels", "where", "clips", "hidden")  # of all kinds


@dataclass(frozen=True)
class Protocol:
    """One line of ``protocols`` in params.yaml.

    A kind states in `kinds.KINDS` which settings it needs and may have besides `COMMON`.
    """

    kind: str = setting(doc="How clips are parted.", choices=tuple(KINDS))
    folds: int | None = setting(
        None, "Number of folds; of speakers_and_sentences, groups of speakers.", low=2
    )
    seed: int | None = setting(
        None,
        "Seed of what is drawn; speakers and sentences shuffle those of equally many clips if they "
        "have one. With hidden all kinds may have one, and draw those clips by 0 without.",
        low=0,
        high=2**32 - 1,
    )
    validation: int = setting(
        0, "Speakers per fold whose training clips become validation clips.", low=0
    )
    allow: tuple[str, ...] = setting(
        (), "Kinds of leak that it declares; any other stops the split.", choices=DECLARABLE
    )
    labels: dict[str, Any] | str = setting(
        {},
        "Emotions that take part, each with the label it gets; or the name of an ontology; or "
        "ratings: clips that are rated, of any emotion. Empty: all, under their own names.",
    )
    where: dict[str, Any] = setting(
        {}, "Values that columns of the index must have: {style: [improvised]}."
    )
    clips: int | None = setting(
        None, "Number of clips with a label that must take part; the split fails on others.", low=1
    )
    sentence_folds: int | None = setting(
        None, "Groups of sentences of speakers_and_sentences.", low=2
    )
    share: float | None = setting(
        None, "Fraction of the clips that random_split tests.", above=0, below=1
    )
    prefix: int | None = setting(
        None, "Start of a clip's name that leave_one_prefix_out groups by.", unit="letters", low=1
    )
    test: tuple[str, ...] = setting(
        (),
        "What is tested: partitions (partition; empty: test), or corpora together in one fold "
        "(corpora; empty: each in a fold of its own).",
    )
    hidden: float = setting(
        0.0,
        "Fraction of each label's training clips that lose it and become unlabelled, drawn again "
        "for each fold. Rounded, but one clip or more stays with each label.",
        low=0,
        below=1,
    )
    list: str | None = setting(None, "List of speakers that listed_speakers holds out.")

    def check(self) -> None:
        """Refuse what cannot be carried out on any corpus: ``setting: what is wrong``."""
        self._check_own()
        self._check_labels()
        for column, values in self.where.items():
            texts = isinstance(values, tuple | list) and all(isinstance(v, str) for v in values)
            if not texts or not values:
                raise InputError(
                    f"where.{column}: wanted a list of texts, got {values!r}; "
                    "put numbers in quotes, all in brackets"
                )

    def of_kind(self) -> tuple[Kind, dict[str, Any]]:
        """The kind, and its settings."""
        kind = KINDS[self.kind]
        return kind, {name: getattr(self, name) for name in (*kind.needs, *kind.takes)}

    @property
    def validates(self) -> bool:
        """Whether folds have validation clips: speakers set apart, or the corpus's own part."""
        return self.validation > 0 or self.kind == "partition"

    def recorded(self) -> dict[str, Any]:
        """Settings as a certificate keeps them.

        ``list`` is there only where one is named: certificates are older than lists, and their
        hashes stay.
        """
        return {k: v for k, v in settings.flat(self).items() if k != "list" or v is not None}

    def _check_own(self) -> None:
        """Compare settings that only some kinds have with the kind."""
        kind, own = self.of_kind()
        for field in dataclasses.fields(self):
            name = field.name
            if name in COMMON:
                continue
            given = getattr(self, name) != field.default
            if given and name not in own and not (name == "seed" and self.hidden):
                why = {"folds": f"makes {kind.makes}", "seed": "draws nothing"}
                raise InputError(f"{name}: {self.kind} {why.get(name, 'takes none')}; remove it")
            if name in kind.needs and not given:
                why = "draws clips at random and needs one" if name == "seed" else "needs one"
                raise InputError(f"{name}: {self.kind} {why}")
        if len(set(self.test)) < len(self.test):
            raise InputError(f"test: wanted different names, got {[*self.test]}")
        if kind.check is not None:
            kind.check(**own)

    def _check_labels(self) -> None:
        """Check what says which emotions take part; one class alone cannot be predicted."""
        if isinstance(self.labels, str):
            known = [*ontology.ONTOLOGIES, BY_RATINGS]
            if self.labels not in known:
                nearest = text.nearest(self.labels, known)
                raise InputError(f"labels: no ontology {self.labels!r}; {nearest}")
            return
        for word, label in self.labels.items():
            if not (isinstance(word, str) and isinstance(label, str) and word and label):
                raise InputError(f"labels: wanted emotion: label, got {word!r}: {label!r}")
        if len(set(self.labels.values())) == 1:
            (label,) = set(self.labels.values())
            raise InputError(f"labels: leave one class, {label!r}; give two or more")
