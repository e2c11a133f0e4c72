"""The record of a protocol: what makes no sense is refused."""

import pytest
from ruamel.yaml import YAML

from pipeline import settings
from pipeline.errors import InputError
from pipeline.protocols.protocol import Protocol
from pipeline.protocols.vocabulary import DECLARABLE


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kind: kfolds", "^P.kind: no 'kfolds'; did you mean kfold"),
        ("kind: speakers", "^P.folds: speakers needs one$"),
        ("kind: sentences", "^P.folds: sentences needs one$"),
        ("kind: kfold, folds: 1, seed: 1", "^P.folds: must be at least 2, got 1$"),
        ("kind: kfold_pairs, folds: 2, seed: 0", "^P.folds: kfold_pairs needs 3 or more, got 2$"),
        ("kind: kfold, folds: 2", "^P.seed: kfold draws clips at random and needs one$"),
        (
            "kind: kfold, folds: 2, seed: -1",
            "^P.seed: must be at least 0 and at most 4294967295, got -1$",
        ),
        (
            "kind: speakers_and_sentences, folds: 2, sentence_folds: 1",
            "^P.sentence_folds: must be at least 2, got 1$",
        ),
        (
            "kind: kfold, folds: 2, seed: 0, sentence_folds: 2",
            "^P.sentence_folds: kfold takes none; remove it$",
        ),
        (
            "kind: leave_one_session_out, folds: 5",
            "^P.folds: leave_one_session_out makes one per session; remove it$",
        ),
        ("kind: partition, seed: 1", "^P.seed: partition draws nothing; remove it$"),
        ("kind: partition, test: [dev]", "^P.test: no 'dev'; known: validation, test, test2"),
        ("kind: partition, test: [train]", "^P.test: no 'train'"),
        ("kind: corpora, test: [a, a]", r"^P.test: wanted different names, got \['a', 'a'\]$"),
        ("kind: kfold, folds: 2, seed: 0, test: [a]", "^P.test: kfold takes none; remove it$"),
        ("kind: random_split, seed: 1", "^P.share: random_split needs one$"),
        ("kind: random_split, share: 0.1", "^P.seed: random_split draws clips at random and"),
        (
            "kind: random_split, share: 1, seed: 1",
            "^P.share: must be above 0 and below 1, got 1.0$",
        ),
        ("kind: leave_one_prefix_out", "^P.prefix: leave_one_prefix_out needs one$"),
        (
            "kind: leave_one_prefix_out, prefix: 0",
            "^P.prefix: must be at least 1 letters, got 0$",
        ),
        ("kind: partition, hidden: 1", "^P.hidden: must be at least 0 and below 1, got 1.0$"),
        ("kind: partition, hidden: -0.1", "^P.hidden: must be at least 0 and below 1, got -0.1$"),
        ("kind: partition, clips: 0", "^P.clips: must be at least 1, got 0$"),
        ("kind: partition, validation: -1", "^P.validation: must be at least 0, got -1$"),
        ("kind: partition, allow: [speakr]", "^P.allow: no 'speakr'; did you mean speaker"),
        ("kind: partition, labels: four", "^P.labels: no ontology 'four'; did you mean four-1"),
        ("kind: partition, labels: {a: 1}", "^P.labels: wanted emotion: label, got 'a': 1$"),
        ("kind: partition, labels: {a: ''}", "^P.labels: wanted emotion: label, got 'a': ''$"),
        (
            "kind: partition, labels: {a: x, b: x}",
            "^P.labels: leave one class, 'x'; give two or more$",
        ),
        ("kind: partition, where: {style: a}", "^P.where.style: wanted a list of texts"),
        ("kind: partition, where: {session: [1]}", r"^P.where.session: .* got \[1\]; put num"),
        ("kind: partition, where: {style: []}", "^P.where.style: wanted a list of texts"),
        ("kind: listed_speakers", "^P.list: listed_speakers needs one$"),
        ("kind: partition, list: emodb", "^P.list: partition takes none; remove it$"),
        (
            "kind: listed_speakers, list: ravdes",
            r"^P.list: no 'ravdes'; did you mean ravdess\?$",
        ),
        (
            "kind: listed_speakers, list: ravdess, validation: 1",
            "^P.validation: ravdess lists 2 speakers per fold; set it to 0 or 2, got 1$",
        ),
        (
            "kind: listed_speakers, list: cremad",
            "^P.validation: cremad lists 18 speakers per fold; set it to 18, got 0$",
        ),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(line, message):
    with pytest.raises(InputError, match=message):
        settings.read(Protocol, YAML(typ="safe", pure=True).load(f"{{{line}}}"), "P")


def test_every_kind_of_leak_can_be_declared():
    line = {"kind": "kfold", "folds": 2, "seed": 0, "allow": [*DECLARABLE]}
    assert settings.read(Protocol, line, "P").allow == DECLARABLE


def test_the_certificate_keeps_a_list_only_where_one_is_named():
    assert "list" not in Protocol("partition").recorded()
    assert Protocol("listed_speakers", list="emodb").recorded()["list"] == "emodb"
