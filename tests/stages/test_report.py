"""The page and the summary: right numbers, loud warnings, nothing fetched, equal bytes."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.reporting import drawing, figures, wording
from pipeline.reporting.overviews import costs
from pipeline.reporting.page import page
from pipeline.reporting.results import LENGTHS, read_recorded, read_run
from pipeline.reporting.summary import summary
from pipeline.reporting.wording import length_words
from pipeline.scoring.targets import Emotions
from pipeline.stages.report import report as stage
from tests.made_runs import (
    APART,
    FLOORS,
    LABELS,
    SHARED,
    leak,
    same,
    write_rated,
    write_recorded,
    write_run,
)

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


AGAIN = """
import pathlib, sys
from pipeline.stages.report import report
folder = pathlib.Path(sys.argv[1])
pages = [folder / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
report(folder, folder / "recorded", *pages, runs=dict.fromkeys(sys.argv[2:]))
"""


def report(reports, runs):
    """Run the stage on the named runs; of a line of params.yaml it takes the name alone."""
    recorded = reports / "recorded"
    recorded.mkdir(exist_ok=True)
    made = [reports / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
    stage(reports, recorded, *made, runs=dict.fromkeys(runs))


@pytest.fixture
def reports(tmp_path):
    """Three runs: the authors' way, the same model held to account, and imported weights."""
    published = [
        {"protocol": "10 random folds, best epoch on test", "uar": 91.93, "war": 92.08,
         "source": "ICASSP 2023, table 1", "conditions": same(selection="leaky")},
        {"protocol": "10 random folds, last epoch", "uar": None, "war": 90.07,
         "source": "authors' curves, 2023-08", "conditions": same()},
        {"protocol": "10 random folds, last epoch", "uar": None, "war": 90.5,
         "source": "the same, without what it is", "conditions": same(selection="leaky")},
    ]  # fmt: skip
    write_run(tmp_path, "tim_net-ravdess-authors", right=0.9, leaks=SHARED, selection="leaky",
              protocol="authors_46", published=published)  # fmt: skip
    write_run(tmp_path, "gmtcnet-demo", right=0.5, model="gmtcnet", corpus="demo")
    write_run(tmp_path, "tim_net-ravdess", right=0.6)
    return tmp_path


RUNS = ["tim_net-ravdess-authors", "gmtcnet-demo", "tim_net-ravdess"]


def text_of(markup):
    """What a reader sees, on one line."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", markup, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_page_shows_the_numbers(reports):
    report(reports, RUNS)
    seen = text_of((reports / "index.html").read_text())
    assert "90.0 [85.7, 93.7] chance 12.5" in seen
    assert "60.0 [55.7, 63.7]" in seen
    assert f"Macro F1 % 59.0 {DASH} {DASH} Weighted F1 % 61.0" in seen
    assert f"best epoch on test ICASSP 2023, table 1 90.0 91.9 {MINUS}1.9" in seen
    assert "the same speaker, sentence, emotion and intensity is in training: 219 of 240" in seen
    assert "Not checkable: the corpus does not say." in seen
    assert "03-01-03-01-02-01-07 = 03-01-03-01-02-02-07" in seen
    assert "training.optimiser.beta_1 0.93" in seen


def test_runs_on_the_same_folds_are_compared_and_others_are_not(reports):
    report(reports, RUNS)
    seen = text_of((reports / "index.html").read_text())
    rows = re.findall(r"(\S+) (\S+) (UAR|WAR) (\S+) \[\S+, \S+\] \S+", seen)
    pairs = [(first, second) for first, second, measure, _ in rows if measure == "UAR"]
    assert ("tim_net-ravdess-authors", "tim_net-ravdess") in pairs
    assert "Run against run" in seen


def test_confusion_counts_clips_by_true_label(tmp_path):
    folder = write_run(tmp_path, "a", right=0.9)
    run = read_run(folder)
    rows = [line.split(",") for line in (folder / "predictions.csv").read_text().split()[1:]]
    assert sum(map(sum, run.confusion)) == 240
    assert [sum(row) for row in run.confusion] == [30] * 8  # rows are true labels
    angry_as_happy = sum(row[5] == "angry" and row[6] == "happy" for row in rows)
    assert run.confusion[4][2] == angry_as_happy
    matrix = re.search(r'<table class="matrix">.*?</table>', page([run], []), re.S)[0]
    cells = [int(n) for n in re.findall(r"--fraction:[^>]*>(\d+)<", matrix)]
    assert cells == [count for row in run.confusion for count in row]
    percent = [int(n) for n in re.findall(r"<small>(\d+)&nbsp;%", matrix)]
    assert percent == [round(100 * count / 30) for count in cells if count]


def test_a_contradiction_is_named_at_the_run(tmp_path):
    found = {"clips": ["a", "b"], "emotions": ["happy", "sad"]}
    folder = write_run(tmp_path, "a")
    facts = json.loads((folder / "run.json").read_text())
    facts["quality"]["contradictions"] = [found]
    (folder / "run.json").write_text(json.dumps(facts))
    words = "✗ contradiction: a = b are one sound under two labels, happy and sad."
    assert words in text_of(page([read_run(folder)], []))


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


def test_runs_of_one_model_and_corpus_stand_together(reports):
    report(reports, RUNS)
    lines = (reports / "summary.md").read_text().splitlines()[2:5]
    names = [line.split(" | ")[0].strip("| ") for line in lines]
    assert names == ["tim_net-ravdess-authors", "tim_net-ravdess", "gmtcnet-demo"]


def test_cost_of_the_leak_pairs_leaky_with_honest(reports):
    runs = [read_run(reports / name) for name in RUNS]
    pairs = [(leaky.name, honest.name) for leaky, honest in costs(runs)]
    assert pairs == [("tim_net-ravdess-authors", "tim_net-ravdess")]
    assert f"90.0 60.0 {MINUS}30.0" in text_of(page(runs, []))


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


@pytest.mark.parametrize(
    ("facts", "objections"),
    [
        ({}, []),
        ({"selection": "best_validation"}, []),
        ({"selection": "leaky"}, ["picked on test"]),
        ({"leaks": SHARED}, ["samples shared", "speakers shared"]),
        ({"leaks": APART | {"speaker": None}}, ["speakers not known"]),
        ({"leaks": APART | {"speaker": leak(0, unlabelled=9)}}, ["speakers not known"]),
        ({"weights": "authors, 2023"}, ["trained elsewhere"]),
    ],
)
def test_what_makes_a_number_honest(tmp_path, facts, objections):
    run = read_run(write_run(tmp_path, "a", **facts))
    assert run.objections == objections
    assert ("<mark>" in page([run], [])) == ("picked on test" in objections)


def test_imported_weights_have_no_curves_and_claim_no_epoch(tmp_path):
    folder = write_run(tmp_path, "a", weights="authors, 2023", training=None)
    (folder / "history.csv").write_text("fold,seed,epoch,loss,accuracy,test_accuracy\n")
    run = read_run(folder)
    assert run.protocol == "speakers held out, imported weights"
    assert "No learning curves: the weights were imported." in text_of(page([run], []))


def test_a_class_without_clips_has_no_recall(tmp_path):
    folder = write_run(tmp_path, "a", labels=[*LABELS, "bored"])
    assert f"bored 0 0 0 0 0 0 0 0 0 {DASH}" in text_of(page([read_run(folder)], []))


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


def test_seeds_are_drawn_apart(tmp_path):
    folder = write_run(tmp_path, "a", folds=2, epochs=3)
    head, *rows = (folder / "history.csv").read_text().splitlines()
    again = [row.replace(",0,", ",1,", 1) for row in rows]
    (folder / "history.csv").write_text("\n".join([head, *rows, *again]) + "\n")
    drawn = dict((curve.title, svg) for curve, svg in figures.curves(read_run(folder)))
    assert drawn["Loss"].count("stroke-width: 0.5") == 4  # two folds under two seeds


# ---- runs on attributes ----------------------------------------------------------------------


ARTICLE = {"protocol": "1.8, gru", "arousal": 0.573, "dominance": 0.4663, "valence": 0.159,
           "source": "authors' README", "conditions": same(classes=[])}  # fmt: skip


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


def test_a_page_of_one_task_says_nothing_of_the_other(tmp_path):
    run = read_run(write_rated(tmp_path, "a"))
    seen = text_of(page([run], []))
    assert not re.search(r"UAR|WAR|Macro|Confusion|Attributes", seen)
    assert "UAR" not in summary([run], [])
    seen = text_of(page([read_run(write_run(tmp_path, "b"))], []))
    assert not re.search(r"CCC|RMSE|rated|Clusters|Emotions", seen)


def test_leaks_cost_what_both_runs_measure(tmp_path):
    leaky = read_run(write_rated(tmp_path, "a", ccc=0.8, selection="leaky"))
    honest = read_run(write_rated(tmp_path, "b", attributes=["valence"], ccc=0.7))
    other = read_run(write_rated(tmp_path, "c", attributes=["arousal"], leaks=SHARED))
    assert costs([leaky, honest, other]) == [(leaky, honest)]
    seen = text_of(page([leaky, honest], []))
    assert f"0.800 {DASH} {DASH} 0.700 {DASH} {DASH} 0.600 0.500 {MINUS}0.100" in seen
    assert "(the epoch was picked on it)" in seen


def test_a_scatter_stays_small(tmp_path):
    many = read_run(write_rated(tmp_path, "a", clips=2000))
    drawn = figures.scatter(many, many.measures[0])
    path = max(re.findall(r' d="([^"]*)"', drawn), key=len)
    assert path.count("M") == figures.POINTS
    assert len(drawn) < 40_000
    assert "600 of 2000 predictions, evenly taken" in text_of(page([many], []))
    few = read_run(write_rated(tmp_path, "b", clips=50))
    assert max(re.findall(r' d="([^"]*)"', figures.scatter(few, few.measures[0])),
               key=len).count("M") == 50  # fmt: skip
    assert "evenly taken" not in text_of(page([few], []))


def test_losses_are_drawn_that_were_measured(tmp_path):
    folder = write_rated(tmp_path, "a", attributes=["valence"])
    drawn = {curve.title: curve.lines for curve, _ in figures.curves(read_run(folder))}
    assert list(drawn) == ["Losses", "CCC valence", "NMI"]
    assert [line.words for line in drawn["Losses"]] == ["sum", "attributes", "clusters"]
    head, *rows = (folder / "history.csv").read_text().splitlines()
    rows = [f"{row},0.9,1.8" for row in rows]
    head += ",triplet_loss,unlabeled_loss"
    (folder / "history.csv").write_text("\n".join([head, *rows]) + "\n")
    (losses, svg), *_ = figures.curves(read_run(folder))
    assert [line.words for line in losses.lines[3:]] == ["triplets", "unlabelled clips"]
    assert "stroke-dasharray" in svg


def test_clusters_are_drawn_by_size(tmp_path):
    folder = write_rated(tmp_path, "a")
    rows = ["fold,seed,epoch,loss,cluster_01,cluster_02,cluster_03", "1,0,1,1,10,20,70",
            "1,0,2,1,0,100,0", "2,0,1,1,30,10,60", "2,0,2,1,100,0,0"]  # fmt: skip
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    words = "from the largest to the smallest: 65 to 10 at first, 100 to 0 at the end"
    assert words in figures.clusters(read_run(folder))
    assert figures.clusters(read_run(write_run(tmp_path, "b"))) is None


def test_imported_weights_of_a_run_on_attributes(tmp_path):
    folder = write_rated(tmp_path, "a", weights="authors, 2024", training=None)
    (folder / "history.csv").write_text("fold,seed,epoch,loss\n")
    assert "No learning curves: the weights were imported." in text_of(page([read_run(folder)], []))


def test_a_recording_older_than_attributes_is_of_emotions(tmp_path):
    folder = write_recorded(tmp_path, "a")
    facts = json.loads((folder / "run.json").read_text())
    del facts["attributes"]
    (folder / "run.json").write_text(json.dumps(facts))
    assert isinstance(read_recorded(folder).target, Emotions)


# ---- clips that were cut and padded ----------------------------------------------------------


def test_a_run_says_what_became_of_its_clips(tmp_path):
    write_run(tmp_path, "a")
    report(tmp_path, ["a"])
    seen = text_of((tmp_path / "index.html").read_text())
    line = "Clips brought to 4.99 s about their middle: 12 of 240 cut, by up to 0.61 s; 228 padded"
    assert seen.count(f"{line}, by 1.23 s in the median.") == 1
    assert "length.policy" not in seen  # the line says it


@pytest.mark.parametrize(
    ("policy", "changed", "words"),
    [
        ("start", {}, "brought to 2.00 s from their start: none of 3 cut; 1 padded, by 0.50 s in"),
        ("whole", {"samples": None}, "taken whole: none of 3 cut; 1 padded, by 0.50 s in"),
        (
            "segments",
            {},
            "taken whole, in segments of 2.00 s: none of 3 cut; 1 padded, by 0.50 s in",
        ),
        ("centre", {"padded": 0}, "brought to 2.00 s about their middle: none of 3 cut; none padd"),
    ],
)
def test_every_policy_has_its_words(policy, changed, words):
    length = {"policy": policy, "samples": 32000, "sample_rate": 16000, "clips": 3, "cut": 0}
    length |= {"largest_cut": 0.0, "padded": 1, "median_padding": 0.5}
    assert length_words(length | changed).startswith(f"Clips {words}")


def test_pieces_of_whole_clips_have_words():
    length = {"policy": "whole", "chunks": 11, "samples": None, "sample_rate": 16000, "clips": 3}
    length |= {"cut": 0, "largest_cut": 0.0, "padded": 0, "median_padding": 0.0}
    assert length_words(length).startswith("Clips taken whole, in 11 chunks that reach from the")
    assert length_words(length | {"chunks": 0}).startswith("Clips taken whole: none of 3 cut")


def test_no_policy_lacks_words():
    assert set(LENGTHS) == set(framing.POLICIES)


# ---- recorded runs ---------------------------------------------------------------------------


def test_recorded_runs_have_a_section(reports):
    published = [{"protocol": "10 random folds", "uar": 89.19, "war": None, "source": "README",
                  "conditions": same(epochs=500)}]  # fmt: skip
    write_recorded(reports, "tim_net-emodb", right=0.7, corpus="emodb", published=published,
                   leaks=SHARED, epochs=100, epochs_of_paper=500)  # fmt: skip
    report(reports, RUNS)
    seen = text_of((reports / "index.html").read_text())
    assert "1 more was recorded on real corpora ." in seen
    _, section = seen.split("Recorded on real corpora ↑ contents Long runs")
    section, _ = section.split("tim_net-ravdess-authors ↑ contents tim_net on ravdess, ")
    first = "tim_net-emodb tim_net on emodb ✗ no 70.0 [65.7, 73.7] chance 12.5 70.0 [65.7, 73.7]"
    assert first in section
    assert "speakers shared, last epoch, 100 of 500 epochs 6 ✗ PCM <1 %, Speaker 100 %" in section
    assert "100 of 500 epochs AMD EPYC 9654, 2 cores, jax, 3 h 10 min, 2026-11-20 " in section
    ours = "6 folds, speakers shared, last epoch, 100 of 500 epochs "
    ours += "not compared: 100 of 500 epochs"
    assert f"{ours} 10 random folds README 70.0 89.2 {DASH} 70.0 {DASH} {DASH}" in section
    assert "12 of 240 cut" in section
    assert "how.commit c09dac00ede091f4fa003e0793e03e65a80b1218-dirty" in section


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


def test_without_recorded_runs_nothing_is_said_of_them(reports):
    (reports / "recorded").mkdir()
    (reports / "recorded" / "README.md").write_text("What lies here.\n")
    (reports / "recorded" / ".x.part").mkdir()  # left by a command that was killed
    report(reports, RUNS)
    for name in ("index.html", "summary.md"):
        assert "recorded" not in (reports / name).read_text().lower()


def test_a_recorded_run_may_have_the_name_of_a_run(tmp_path):
    write_run(tmp_path, "a", right=0.6)
    write_recorded(tmp_path, "a", right=0.9)
    report(tmp_path, ["a"])
    markup = (tmp_path / "index.html").read_text()
    ids = re.findall(r'\bid="([^"]*)"', markup)
    assert len(ids) == len(set(ids))
    linked = set(re.findall(r'<a [^>]*href="#([^"]*)', markup))
    assert {"run-1", "recorded", "recorded-1", "contents", "results"} <= linked <= set(ids)
    found = re.findall(r"^\| a \|.*?\*\*(.*?)\*\*", (tmp_path / "summary.md").read_text(), re.M)
    assert found == ["60.0", "90.0"]


def test_recorded_runs_of_one_model_and_corpus_stand_together(reports):
    for name, corpus in (("c", "emodb"), ("a", "savee"), ("b", "emodb"), ("d", "savee")):
        write_recorded(reports, name, corpus=corpus)
    report(reports, RUNS)
    table = (reports / "summary.md").read_text().partition("Recorded")[2]
    assert re.findall(r"^\| ([a-d]) \|", table, re.M) == ["a", "d", "b", "c"]


def test_results_of_a_run_that_is_no_line_are_removed(reports):
    write_run(reports, "old")
    write_run(reports, "older")
    (reports / "older" / "notes.txt").touch()
    kept = [path.name for path in reports.iterdir() if path.name not in ("old", "older")]
    report(reports, kept)
    assert not (reports / "old").exists()
    assert [path.name for path in (reports / "older").iterdir()] == ["notes.txt"]
    assert all((reports / name / "run.json").exists() for name in kept)


def test_what_a_recording_does_not_know_is_not_said(tmp_path):
    folder = write_recorded(tmp_path, "a", seconds=None, weights="authors, 2023", training=None)
    assert read_recorded(folder).made == "AMD EPYC 9654, 2 cores, jax, 2026-11-20"
    write_run(tmp_path, "b")
    report(tmp_path, ["b"])
    assert "| no: trained elsewhere | AMD" in (tmp_path / "summary.md").read_text()


def test_a_note_is_escaped(tmp_path):
    write_run(tmp_path, "a")
    write_recorded(tmp_path, "b", note="<i>|")
    report(tmp_path, ["a"])
    assert "<i>" not in (tmp_path / "index.html").read_text()
    assert "| &lt;i>\\| |" in (tmp_path / "summary.md").read_text()


def test_the_folder_of_recorded_runs_is_there_even_if_empty(tmp_path):
    write_run(tmp_path, "a")
    made = [tmp_path / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
    with pytest.raises(InputError, match="recorded: no such folder; take it back from git"):
        stage(tmp_path, tmp_path / "recorded", *made, runs={"a": None})


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "how.json"])
def test_a_recorded_run_that_is_not_whole(tmp_path, name):
    write_run(tmp_path, "a")
    folder = write_recorded(tmp_path, "b")
    (folder / name).write_text("{}")
    remedy = "; take it back from git, or record the run again"
    with pytest.raises(InputError, match=f"recorded/b: {name} has no .*{remedy}"):
        report(tmp_path, ["a"])
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"recorded/b: {name} is missing{remedy}"):
        report(tmp_path, ["a"])
    assert not (tmp_path / "index.html").exists()


# ---- the files -------------------------------------------------------------------------------


def test_same_results_same_bytes(reports, tmp_path):
    write_rated(reports, "cluster-msp")
    runs = [*RUNS, "cluster-msp"]
    report(reports, runs)
    first = [(reports / name).read_bytes() for name in ("index.html", "summary.md")]
    again = subprocess.run(
        [sys.executable, "-c", AGAIN, reports, *runs],
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    assert again.returncode == 0
    assert [(reports / name).read_bytes() for name in ("index.html", "summary.md")] == first


def test_page_fetches_nothing(reports):
    write_recorded(reports, "tim_net-ravdess")
    write_rated(reports, "cluster-msp")
    report(reports, [*RUNS, "cluster-msp"])
    markup = (reports / "index.html").read_text()
    assert not re.search(r"http|src=|@import|url\((?!#)|<link", markup)
    assert re.findall(r"<script[^>]*>", markup) == ["<script>"]
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|console|eval\(", markup)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', markup))
    assert len(markup) < 500_000


def test_ids_are_unique_and_every_reference_has_one(reports):
    write_recorded(reports, "tim_net-ravdess")
    write_rated(reports, "cluster-msp")
    report(reports, [*RUNS, "cluster-msp"])
    markup = (reports / "index.html").read_text()
    ids = re.findall(r'\bid="([^"]*)"', markup)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', markup)) <= set(ids)


def test_names_are_escaped(tmp_path):
    name = "<i>a|b & $x_1$"
    write_run(tmp_path, name, model="<script>", corpus='"q"')
    report(tmp_path, [name])
    markup = (tmp_path / "index.html").read_text()
    assert "<i>" not in markup
    assert markup.count("<script") == 1
    assert name in text_of(markup)
    assert "| &lt;i>a\\|b &amp; $x_1$ | &lt;script> |" in (tmp_path / "summary.md").read_text()


def test_figures_keep_what_they_say_and_take_the_colours_of_the_page():
    def draw(axes):
        axes.plot([0, 1], [0, 1], color="#1b5e78")
        axes.text(0, 0, "0.12345 #1b5e78")

    markup = drawing.drawing(draw, 'a "b"', 100)
    assert ">0.12345 #1b5e78</text>" in markup
    assert "stroke: var(--accent)" in markup
    assert markup.startswith('<svg viewBox="0 0 360 100" role="img" aria-label="a &#34;b&#34;">')


def test_corpora_are_cited_once_each(reports):
    emodb = {"name": "EMO-DB", "citation": "B (2005)", "licence": "CC BY 4.0", "address": "Zenodo"}
    for name in ("tim_net-ravdess", "tim_net-ravdess-authors"):
        file = reports / name / "run.json"
        facts = json.loads(file.read_text())
        facts["quality"]["sources"] = [emodb, emodb | {"name": "A & B", "licence": "<own>"}]
        file.write_text(json.dumps(facts))
    found = [read_run(reports / name) for name in RUNS]
    rows = [["ravdess", "EMO-DB", "B (2005)", "CC BY 4.0", "Zenodo"]]
    rows += [["ravdess", "A & B", "B (2005)", "<own>", "Zenodo"]]
    assert wording.sources(found) == [*rows, ["demo", *[DASH] * 4]]
    cited = summary(found, []).partition("**Corpora**, to be cited with these results:\n")[2]
    assert "| ravdess | A &amp; B | B (2005) | &lt;own> | Zenodo |\n" in cited
    shown = text_of(page(found, []).partition('id="corpora"')[2])
    assert "EMO-DB ravdess B (2005) CC BY 4.0 Zenodo" in shown
    assert "EMO-DB. B (2005). Licence: CC BY 4.0." in shown  # at each run too


def test_a_run_below_a_floor_is_marked_so_wherever_it_stands(reports):
    write_run(reports, "floored", right=0.6, floors=FLOORS)
    higher = FLOORS["floors"] | {"svm": {"uar": 0.3, "war": 0.3}}
    wrong = FLOORS["shuffled"] | {"uar": 0.5}
    write_run(*(reports, "above"), right=0.6, floors=FLOORS | {"floors": higher, "shuffled": wrong})
    report(reports, ["floored", "above"])
    summary_ = (reports / "summary.md").read_text()
    floors = "| majority 12.5, length 20.0, svm 65.1; **UAR below svm** |"
    assert sum(floors in line for line in summary_.splitlines()) == 1
    assert "| majority 12.5, length 20.0, svm 30.0 |" in summary_
    text = text_of(page_of(reports))
    assert text.count("✗ UAR below svm") == 2  # in the table and at the run
    assert "feature ✗ 65.1 59.0" in text
    assert "UAR 13.0 ± 1.0 over 5 draws; chance is 12.5." in text
    assert "UAR 50.0 ± 1.0 over 5 draws; chance is 12.5: it did not fall to chance." in text
    assert "name the speaker, of 6, in 93 % of clips (chance: 17 %)" in text


def page_of(reports):
    """Give the page as it was written."""
    return (reports / "index.html").read_text()


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


def test_others_stand_next_to_runs_on_their_folds(tmp_path):
    listed = {"kind": "listed_speakers", "list": "ravdess", "allow": ["sentence"]}
    whole = APART | {"clip": leak(0, 1440)}
    write_run(tmp_path, "a", protocol_settings=listed, leaks=whole)
    write_run(tmp_path, "b")
    report(tmp_path, ["a", "b"])
    *_, others, _, _, _ = (tmp_path / "summary.md").read_text().split("\n\n")
    rows = [row.split(" | ")[:4] for row in others.splitlines()]
    assert [row for row in rows if row[0] in {"| a", "| b"}] == [["| a", "80.0", "80.0", DASH]]
    assert ["| GResNet", DASH, DASH, "59.7"] in rows
    assert "| 62.3 ± 1.2 | UAR or accuracy | by its released notebook hyperparameters" in others
    seen = text_of((tmp_path / "index.html").read_text())
    assert f"a tim_net on ravdess 80.0 80.0 {DASH} {DASH}" in seen
    assert "GResNet README of ResLSTM-SA" in seen
    report(tmp_path, ["b"])
    for name in ("index.html", "summary.md"):
        assert "GResNet" not in (tmp_path / name).read_text()


def test_summary_without_anything_published_has_three_tables(tmp_path):
    write_run(tmp_path, "a")
    report(tmp_path, ["a"])
    assert (tmp_path / "summary.md").read_text().count("\n| ---") == 3


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "predictions.csv", "history.csv"])
def test_a_missing_file(tmp_path, name):
    folder = write_run(tmp_path, "a")
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"a: {name} is missing; run dvc pull, or .*@a$"):
        report(tmp_path, ["a"])
    assert not (tmp_path / "index.html").exists()


def test_broken_files(tmp_path):
    folder = write_run(tmp_path, "a")
    whole = {file.name: file.read_text() for file in folder.iterdir()}

    def refuses(name, text, message):
        (folder / name).write_text(text)
        with pytest.raises(InputError, match=message + ".*; run dvc pull, or .*@a$"):
            read_run(folder)
        (folder / name).write_text(whole[name])

    refuses("metrics.json", "{", "metrics.json: not JSON")
    refuses("metrics.json", '{"uar": 1}', "metrics.json has no uar_low")
    refuses("run.json", "{}", "run.json has no model")
    refuses("run.json", whole["run.json"].replace('"pcm"', '"x"'), "run.json leaks has no pcm")
    refuses("run.json", whole["run.json"].replace('"duplicates"', '"x"'), "has no duplicates")
    refuses("run.json", whole["run.json"].replace('"last"', '"x"'), "selection is 'x', wanted one")
    refuses("run.json", whole["run.json"].replace('"centre"', '"x"'), "length.policy is 'x', want")
    refuses("predictions.csv", "clip\n", "has no speaker, fold, seed, label, predicted")
    refuses("predictions.csv", whole["predictions.csv"].replace(",sad,", ",bored,"), "'bored'")
    refuses("history.csv", "fold,seed,epoch,loss,accuracy\n1,0,1,x,1\n", "history.csv: .*'x'")


def test_broken_files_of_a_run_on_attributes(tmp_path):
    folder = write_rated(tmp_path, "a", attributes=["arousal"])
    whole = {file.name: file.read_text() for file in folder.iterdir()}

    def refuses(name, old, new, message):
        assert old in whole[name]
        (folder / name).write_text(whole[name].replace(old, new))
        with pytest.raises(InputError, match=message + ".*; run dvc pull, or .*@a$"):
            read_run(folder)
        (folder / name).write_text(whole[name])

    known = "attributes is 'anger', wanted one of arousal, dominance, valence"
    refuses("run.json", '["arousal"]', '["anger"]', known)
    refuses("run.json", '["arousal"]', '["valence"]', "metrics.json has no ccc_valence, ccc_val")
    refuses("metrics.json", "rmse_", "x_", "metrics.json has no rmse_arousal")
    refuses("metrics.json", "_fold_01", "_x", "metrics.json has no ccc_arousal_fold_01")
    refuses("predictions.csv", "predicted_", "x_", "predictions.csv has no predicted_arousal")
    refuses("predictions.csv", ",1,", ",1,x", "predictions.csv: .*'x")
    refuses("history.csv", "epoch", "x", "history.csv has no epoch")


def test_no_run_at_all(tmp_path):
    with pytest.raises(InputError, match="no run to report; name one under runs"):
        report(tmp_path, [])


def test_help_is_quick():
    code = (
        "import sys, runpy; sys.argv = ['ser', 'report', '--help']\n"
        "try: runpy.run_module('pipeline', run_name='__main__')\n"
        "finally: print([m for m in ('matplotlib', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


WIDTHS = (390, 1280, 1440, 1920)
LOOK = """<script>
const said = [];
for (const kind of ["log", "info", "warn", "error"]) console[kind] = (text) => said.push(text);
onerror = (text) => said.push(text);
onload = () => {
  const width = document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll("body *")].filter((one) => !one.closest("svg, .hidden"))
    .filter((one) => one.getBoundingClientRect().right > width + 1);
  const scrolled = [...document.querySelectorAll(".scroll, .table")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1);
  const heads = [...document.querySelectorAll("#results th button")];
  const order = () => [...document.querySelectorAll("#results tbody th")].slice(0, 3)
    .map((one) => one.innerText.split("\\n")[0].trim()).join(" ");
  const orders = [order()];
  for (const name of ["UAR %", "UAR %", "Run"]) {
    heads.find((one) => one.textContent === name).click();
    orders.push(order());
  }
  parent.postMessage({ width, cut: cut.length, scrolled: scrolled.length, said, orders }, "*");
};
</script>"""


def test_a_browser_shows_all_of_it_at_any_width_and_sorts(reports, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser found ({', '.join(BROWSERS)})")
    write_recorded(reports, "tim_net-ravdess", tables=True)
    write_rated(reports, "cluster-msp", published=[ARTICLE], ccc=0.1)
    report(reports, [*RUNS, "cluster-msp"])
    inner = html.escape((reports / "index.html").read_text().replace("<style>", LOOK + "<style>"))
    frames = (f'<iframe style="width: {w}px; height: 900px" srcdoc="{inner}"></iframe>'
              for w in WIDTHS)  # fmt: skip
    wrapper = tmp_path / "widths.html"
    wrapper.write_text(
        '<meta charset="utf-8"><style>iframe { border: 0 }</style><pre></pre><script>'
        "const got = [];"
        "onmessage = (e) => { got.push(e.data);"
        'document.querySelector("pre").textContent = JSON.stringify(got); }</script>'
        + "".join(frames)
    )
    flags = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --hide-scrollbars --window-size=2000,4000 "
        "--virtual-time-budget=20000 --dump-dom"
    ).split()
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={tmp_path / 'profile'}", wrapper.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = json.loads(html.unescape(done.stdout.partition("<pre>")[2].partition("</pre>")[0]))
    assert sorted(one["width"] for one in found) == [*WIDTHS]
    leaky, honest, demo = "tim_net-ravdess-authors", "tim_net-ravdess", "gmtcnet-demo"
    for one in found:
        assert (one["cut"], one["scrolled"], one["said"]) == (0, 0, []), one
        assert one["orders"] == [
            f"{leaky} {honest} {demo}",
            f"{leaky} {honest} {demo}",  # numbers from high to low first
            f"{demo} {honest} {leaky}",
            f"{demo} {honest} {leaky}",  # names in the order of the alphabet
        ]


def test_every_figure_is_a_file_that_a_browser_shows(tmp_path):
    write_run(tmp_path, "a")
    write_rated(tmp_path, "b")
    report(tmp_path, ["a", "b"])
    names = {"a": {"confusion", "loss"}, "b": {"arousal", "dominance", "valence"}}
    for run, wanted in names.items():
        images = list((tmp_path / "plots" / run).iterdir())
        assert wanted <= {image.stem for image in images}
        for image in images:
            ElementTree.parse(image)  # of what is no XML a browser shows nothing
