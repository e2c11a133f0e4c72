"""Across corpora: what was tested on others, next to what a run scores on its own."""

import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.reporting import across, sections
from pipeline.reporting.page import page
from pipeline.reporting.results import DASH, read_recorded, read_run
from pipeline.reporting.summary import summary
from pipeline.scoring.targets import Emotions
from tests.made_runs import LABELS, SHARED, report, text_of, write_recorded, write_run

SOURCE = {"name": "EmoDB", "citation": "Burkhardt (2005)", "licence": "CC0", "address": "a"}
FACTS = {
    "run": "ours", "model": "tim_net", "trained_on": "ravdess", "corpus": "emodb",
    "ontology": "common-1", "labels": ["angry", "happy", "sad"], "left_out": {"boredom": 81},
    "unanswered": {}, "clips": 260, "speakers": 10, "imported": False,
    "models": [{"fold": 1, "seed": 0, "sha256": "0"}],
    "leaks": {"pcm": 0, "speaker": 0, "pretraining": 0}, "unlike": None,
    "quality": {"parser": "emodb", "sources": [SOURCE]},
}  # fmt: skip


def write(folder, **changed):
    """Write what test-on writes; give the folder of all."""
    facts = FACTS | changed
    made = folder / facts["run"] / f"{facts['corpus']}-{facts['ontology']}"
    made.mkdir(parents=True)
    tables.write_json({"uar": 0.412, "uar_low": 0.35, "uar_high": 0.478}, made / "metrics.json")
    tables.write(pd.DataFrame({"clip": ["a"]}), made / "predictions.csv")
    files = [made / "metrics.json", made / "predictions.csv"]
    checked.write(facts, made / "across.json", files)
    return folder


def rows_of(found):
    return [[cell.text for cell in row] for row in across.table(found).rows]


def test_trained_on_rows_and_tested_on_columns(tmp_path):
    write(tmp_path / "across")
    write(tmp_path / "across", corpus="demo", ontology="four-1", labels=["angry", "sad"])
    run = read_run(write_run(tmp_path, "ours"))
    found = across.collected([run], across.read(tmp_path / "across"))
    table = across.table(found)
    tested = ["UAR % on demo", "UAR % on emodb", "UAR % on ravdess"]
    assert [column.heading for column in table.columns] == ["Trained on", "Ontology", *tested]
    names = ("four-1", "common-1")
    scored = {name: Emotions.show(across.own(run, name).scores["uar"]) for name in names}
    assert rows_of(found) == [
        ["ravdess", "four-1", "41.2", DASH, scored["four-1"]],
        ["ravdess", "common-1", DASH, "41.2", scored["common-1"]],
    ]
    (_, _, demo, _, own) = table.rows[0]
    assert (demo.interval, demo.notes[:2]) == ("[35.0, 47.8]", ("2 classes, guessing 50.0",
                                                                "260 clips"))  # fmt: skip
    assert own.notes[:3] == ("4 classes, guessing 25.0", "120 clips",
                             "its own corpus, other folds")  # fmt: skip


def test_the_own_corpus_is_scored_under_the_ontology(tmp_path):
    """Calm and neutral are one class, of which either answer is right."""
    run = read_run(write_run(tmp_path, "ours", right=0.5))
    own = across.own(run, "common-1")
    table = run.predictions.assign(
        label=run.predictions["label"].replace("calm", "neutral"),
        predicted=run.predictions["predicted"].replace("calm", "neutral"),
    )
    right = table["label"] == table["predicted"]
    assert own.scores["uar"] == pytest.approx(right.groupby(table["label"]).mean().mean())
    assert (own.classes, own.clips) == (len(LABELS) - 1, 240)
    kept = read_recorded(write_recorded(tmp_path, "kept"))
    assert across.own(kept, "common-1") is None  # its predictions were not


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"leaks": {"pcm": 3, "speaker": 0, "pretraining": 0}},
         "✗ 3 clips have the samples of a clip of the training corpus"),
        ({"leaks": {"pcm": 0, "speaker": 260, "pretraining": 0}},
         "✗ the speakers of 260 clips are in the training corpus"),
        ({"leaks": {"pcm": 0, "speaker": 0, "pretraining": 260}},
         "✗ its feature or first weights were trained on this corpus"),
        ({"leaks": {"pcm": None, "speaker": None, "pretraining": 0}},
         "not checkable: sound, speakers"),
        ({"imported": True}, "✗ trained elsewhere"),
        ({}, "left out: boredom 81"),
        ({"left_out": {"": 2}, "unanswered": {"too long": 4}}, "left out: without emotion 2"),
        ({"unanswered": {"too long": 4, "silence": 1}}, "not answered: 5 (too long)"),
        ({"unlike": {"predictions": 260, "warned": 247, "kinds": {}}},
         "warned that 95.0 % are unlike its training"),
    ],
)  # fmt: skip
def test_what_limits_a_number_stands_next_to_it(tmp_path, changed, note):
    (one,) = across.read(write(tmp_path, **changed))
    ((*_, cell),) = across.table([one]).rows
    assert note in cell.notes


def test_leaks_of_the_run_are_those_of_its_own_corpus(tmp_path):
    run = read_run(write_run(tmp_path, "ours", leaks=SHARED))
    assert "speakers shared" in across.own(run, "common-1").warnings


def test_joined_corpora_are_tested_by_each_other(tmp_path):
    protocol = {"kind": "corpora", "test": [], "labels": "common-1"}
    joined = {"parser_settings": {"of": {"a": "emodb", "a-b": "table"}}}
    quality = {"quarantined": {}, "duplicates": []} | joined
    facts = {"protocol_settings": protocol, "quality": quality, "corpus": "both"}
    folder = write_run(tmp_path, "both", folds=2, **facts)
    table = tables.read(folder / "predictions.csv")
    prefix = table["fold"].map({"1": "a-", "2": "a-b-"})
    tables.write(table.assign(clip=prefix + table["clip"]), folder / "predictions.csv")
    found = across.of_joined(read_run(folder))
    assert [(one.trained_on, one.corpus, one.clips, one.ontology) for one in found] == [
        ("a-b", "a", 120, "common-1"), ("a", "a-b", 120, "common-1")]  # fmt: skip
    assert len(rows_of(found)) == 2
    assert across.of_joined(read_run(write_run(tmp_path, "plain"))) == []


def test_a_run_that_was_trained_again_since_is_said(tmp_path):
    write(tmp_path / "across")
    other = "tested with other models than the run's own; run ser test-on again"
    for run, warns in (("0", False), ("1", True)):
        models = [{"fold": 1, "seed": 0, "sha256": run}, {"fold": 2, "seed": 0, "sha256": "2"}]
        found = read_run(write_run(tmp_path / run, "ours", models=models))
        first, _ = across.collected([found], across.read(tmp_path / "across"))
        assert (other in first.warnings) is warns


def test_a_broken_folder_is_named(tmp_path):
    made = write(tmp_path) / "ours" / "emodb-common-1"
    (made / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match=r"metrics\.json: not as it was written, by its SHA-256"):
        across.read(tmp_path)
    (made / "across.json").unlink()
    with pytest.raises(InputError, match=r"across\.json: .*; take it back from git, or run ser te"):
        across.read(tmp_path)


def test_the_section_of_the_page(tmp_path):
    write(tmp_path / "across")
    run = read_run(write_run(tmp_path, "ours"))
    transfers = across.read(tmp_path / "across")
    found = sections.contents([run], [], transfers)
    (section,) = found.across
    assert section.place == "across"
    assert "across-corpora" in [table.name for table in found.tables]
    text = text_of(page([run], [], found))
    assert "Across corpora" in text
    assert "Burkhardt (2005)" in text  # what is tested on is cited
    assert "41.2 [35.0, 47.8]" in text
    assert "41.2 [35.0, 47.8] (3 classes, guessing 33.3; 260 clips" in summary([run], [], transfers)
    assert sections.contents([run], []).across == []


def test_the_stage_shows_them(tmp_path):
    write(tmp_path / "across")
    write_run(tmp_path, "ours")
    report(tmp_path, ["ours"])
    assert (tmp_path / "tables" / "across-corpora.csv").is_file()
    assert "<h2>Across corpora</h2>" in (tmp_path / "index.html").read_text()
