"""The summary: tables in markdown."""

import re

from pipeline.reporting import figures
from pipeline.reporting.overviews import costs
from pipeline.reporting.page import page
from pipeline.reporting.results import read_recorded, read_run
from pipeline.reporting.summary import summary
from tests.made_runs import (
    ARTICLE,
    RUNS,
    SHARED,
    report,
    same,
    text_of,
    write_rated,
    write_recorded,
    write_run,
)

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def test_runs_of_one_model_and_corpus_stand_together(reports):
    report(reports, RUNS)
    lines = (reports / "summary.md").read_text().splitlines()[2:5]
    names = [line.split(" | ")[0].strip("| ") for line in lines]
    assert names == ["tim_net-ravdess-authors", "tim_net-ravdess", "gmtcnet-demo"]


def test_below_five_speakers_it_is_said_that_clips_were_drawn(tmp_path):
    folder = write_run(tmp_path, "a")
    run = read_run(folder)
    assert run.over_speakers
    assert "the 95 % interval over speakers. Floors" in text_of(page([run], []))
    rows = (folder / "predictions.csv").read_text()
    few = re.sub(r"(?m)^(\w+-\d+),[45],", r"\1,0,", rows)
    (folder / "predictions.csv").write_text(few)
    run = read_run(folder)
    assert not run.over_speakers
    for shown in (text_of(page([run], [])), summary([run], [])):
        assert "over clips (fewer than five speakers are known): it says nothing about" in shown
        assert "interval over speakers" not in shown
    both = text_of(page([run, read_run(write_run(tmp_path, "b"))], []))
    assert "interval over speakers; where “over clips” is said" in both
    assert both.count("interval over clips") == 2  # of UAR and WAR of the one


def test_a_run_of_some_folds_says_so_everywhere_and_is_compared_with_nothing(tmp_path):
    published = [{"protocol": "6 folds", "uar": 91.93, "war": 92.08, "source": "a paper",
                  "conditions": same()}]  # fmt: skip
    some = {"tested_folds": [2, 3, 5], "published": published}
    run = read_run(write_run(tmp_path, "a", leaks=SHARED, **some))
    honest = read_run(write_run(tmp_path, "b"))
    kept = read_recorded(write_recorded(tmp_path, "kept", **some))
    assert costs([run, honest]) == []
    lines = summary([run, honest], [kept]).splitlines()
    of_some = [line for line in lines if line.startswith(("| a |", "| kept |"))]
    assert ["3 of 6" in line for line in of_some] == [True] * 5
    compared = [line for line in of_some if "a paper" in line]
    assert [f"| 92.1 | {DASH} | 3 of 6 folds |" in line for line in compared] == [True] * 2
    seen = text_of(page([run, honest], [kept]))
    assert seen.count("not compared: 3 of 6 folds") == 2
    assert "speakers shared, 3 of 6 folds" in figures.overview([run])
    assert "What the leak costs" not in seen


def test_the_last_epoch_and_the_best_stand_in_page_and_summary(tmp_path):
    run = read_run(write_run(tmp_path, "a", epochs=60))
    kept = read_recorded(write_recorded(tmp_path, "kept"))
    again = write_recorded(tmp_path, "again", tables=True, epochs=60)
    lines = summary([run], [kept, read_recorded(again)]).splitlines()
    head = [i for i, line in enumerate(lines) if line.startswith("| Run | On test | Last epoch |")]
    assert [lines[i + 2].split(" | ")[:2] for i in head] == [["| a", "WAR %"], ["| again", "WAR %"]]
    assert not any(line.startswith("| kept | WAR %") for line in lines)
    assert all(" over the last 6 epochs | " in lines[i + 2] for i in head)
    seen = text_of(page([run], [kept, read_recorded(again)]))
    assert seen.count("Choosing it on test adds") == 2
    assert seen.count("Fold, on test WAR %, last epoch") == 2
    assert seen.count("points of optimism") == 1


def test_runs_on_attributes_have_tables_of_their_own(tmp_path):
    write_rated(tmp_path, "all-msp", published=[ARTICLE])
    write_run(tmp_path, "tim_net-ravdess")
    write_rated(tmp_path, "valence-msp", attributes=["valence"], ccc=0.15, leaks=SHARED)
    write_recorded(tmp_path, "kept-msp", write=write_rated, attributes=["arousal"])
    report(tmp_path, ["all-msp", "tim_net-ravdess", "valence-msp"])
    emotions, _, _, attributes, note, theirs, epochs, _, kept, *_ = (
        (tmp_path / "summary.md").read_text().split("\n\n")
    )
    assert [line.split(" | ")[0] for line in emotions.splitlines()[2:]] == ["| tim_net-ravdess"]
    assert "CCC" not in emotions
    head, _, whole, one = attributes.splitlines()
    assert (
        "| Protocol | CCC arousal | CCC dominance | CCC valence | Floors | Folds | Honest |" in head
    )
    assert "| **0.600** [0.550, 0.640] | **0.500** [0.450, 0.540] | **0.400** [0.3" in whole
    assert (
        f"| {DASH} | {DASH} | **{MINUS}0.050** [{MINUS}0.100, {MINUS}0.010] | {DASH} | 6 | no: "
        in one
    )
    assert note.startswith("CCC over all held-out clips")
    assert "| all-msp | CCC valence | " in epochs
    assert "| 1.8, gru | 0.600 | 0.573 | +0.027 | 0.500 | 0.466 | +0.034 | 0.400 | 0.159" in theirs
    assert f"| **0.600** [0.550, 0.640] | {DASH} | {DASH} | {DASH} | 6 | yes | AMD" in kept

    seen = text_of((tmp_path / "index.html").read_text())
    wanted = "all-msp deep_emo_cluster on msp_podcast ✓ yes 0.600 [0.550, 0.640] RMSE 0.800 0.500"
    assert wanted in seen
    assert "1.8, gru authors' README 0.600 0.573 +0.027" in seen
    assert "CCC arousal of a fold, mean ± s.d. 0.598 ± 0.021" in seen
    assert f"RMSE valence 1.000 {DASH} {DASH}" in seen
    assert "With the clusters" not in seen
    assert "one cluster each, the largest lowest" in seen


def test_the_summary_has_them_too(reports):
    published = [{"protocol": "10 random folds", "uar": 89.19, "war": None, "source": "README",
                  "conditions": same(epochs=500)}]  # fmt: skip
    write_recorded(reports, "tim_net-emodb", right=0.7, corpus="emodb", published=published)
    report(reports, RUNS)
    *_, title, headline, theirs, _, _ = (reports / "summary.md").read_text().split("\n\n")
    assert title == "**Recorded on real corpora**, and not computed again here:"
    head, _, line = headline.splitlines()
    assert head.endswith("| Floors | Folds | Honest | Hardware | Note |")
    assert line == (
        "| tim_net-emodb | tim_net | emodb | speakers held out, last epoch, 8 epochs "
        f"| **70.0** [65.7, 73.7] | **70.0** [65.7, 73.7] | {DASH} | 6 | yes "
        "| AMD EPYC 9654, 2 cores, jax, 3 h 10 min, 2026-11-20 | 100 of 500 epochs |"
    )
    assert f"| 10 random folds | 70.0 | 89.2 | {DASH} | 70.0 | {DASH} | {DASH} | 8 of 500" in theirs


def test_recorded_runs_of_one_model_and_corpus_stand_together(reports):
    for name, corpus in (("c", "emodb"), ("a", "savee"), ("b", "emodb"), ("d", "savee")):
        write_recorded(reports, name, corpus=corpus)
    report(reports, RUNS)
    table = (reports / "summary.md").read_text().partition("Recorded")[2]
    assert re.findall(r"^\| ([a-d]) \|", table, re.M) == ["a", "d", "b", "c"]


def test_a_note_is_escaped(tmp_path):
    write_run(tmp_path, "a")
    write_recorded(tmp_path, "b", note="<i>|")
    report(tmp_path, ["a"])
    assert "<i>" not in (tmp_path / "index.html").read_text()
    assert "| &lt;i>\\| |" in (tmp_path / "summary.md").read_text()


def test_summary_is_a_table(reports):
    report(reports, RUNS)
    headline, note, published, *_ = (reports / "summary.md").read_text().split("\n\n")
    lines = headline.splitlines()
    assert (
        lines[0] == "| Run | Model | Corpus | Protocol | UAR % | WAR % | Floors | Folds | Honest |"
    )
    assert lines[3] == (
        "| tim_net-ravdess | tim_net | ravdess | speakers held out, last epoch, 8 epochs "
        f"| **60.0** [55.7, 63.7] | **60.0** [55.7, 63.7] | {DASH} | 6 | yes |"
    )
    assert lines[2].endswith("| no: samples shared, speakers shared, picked on test |")
    assert {line.count(" | ") for line in lines} == {8}
    assert "95 %" in note
    assert {line.count(" | ") for line in published.splitlines()} == {10}
    one, other, third = published.splitlines()[2:]
    assert f"| 90.0 | 91.9 | {MINUS}1.9 | 90.0 | 92.1 | {MINUS}2.1 |  | ICASSP" in one
    differs = "epoch picked on test, not last epoch"
    assert f"| 90.0 | {DASH} | {DASH} | 90.0 | 90.1 | {DASH} | {differs} | authors" in other
    assert f"| 90.0 | {DASH} | {DASH} | 90.0 | 90.5 | {MINUS}0.5 |  | the same" in third


def test_summary_without_anything_published_has_three_tables(tmp_path):
    write_run(tmp_path, "a")
    report(tmp_path, ["a"])
    assert (tmp_path / "summary.md").read_text().count("\n| ---") == 3
