"""The page: right numbers, loud warnings, nothing fetched, all of it to be seen in a browser."""

import html
import json
import re
import subprocess

import pytest

from pipeline.reporting import maps
from pipeline.reporting.page import page
from pipeline.reporting.results import read_run
from pipeline.reporting.summary import summary
from tests import browser
from tests.made_runs import (
    ARTICLE,
    LABELS,
    RUNS,
    SHARED,
    report,
    same,
    text_of,
    write_rated,
    write_recorded,
    write_run,
)
from tests.reporting import test_diagrams

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
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


def test_a_contradiction_is_named_at_the_run(tmp_path):
    found = {"clips": ["a", "b"], "emotions": ["happy", "sad"]}
    folder = write_run(tmp_path, "a")
    facts = json.loads((folder / "run.json").read_text())
    facts["quality"]["contradictions"] = [found]
    (folder / "run.json").write_text(json.dumps(facts))
    words = "✗ contradiction: a = b are one sound under two labels, happy and sad."
    assert words in text_of(page([read_run(folder)], []))


def test_a_class_without_clips_has_no_recall(tmp_path):
    folder = write_run(tmp_path, "a", labels=[*LABELS, "bored"])
    assert f"bored 0 0 0 0 0 0 0 0 0 {DASH}" in text_of(page([read_run(folder)], []))


def test_imported_weights_have_no_curves_and_claim_no_epoch(tmp_path):
    folder = write_run(tmp_path, "a", weights="authors, 2023", training=None)
    (folder / "history.csv").write_text("fold,seed,epoch,loss,accuracy,test_accuracy\n")
    run = read_run(folder)
    assert run.protocol == "speakers held out, imported weights"
    assert "No learning curves: the weights were imported." in text_of(page([run], []))


def test_a_page_of_one_task_says_nothing_of_the_other(tmp_path):
    run = read_run(write_rated(tmp_path, "a"))
    seen = text_of(page([run], []))
    assert not re.search(r"UAR|WAR|Macro|Confusion|Attributes", seen)
    assert "UAR" not in summary([run], [])
    seen = text_of(page([read_run(write_run(tmp_path, "b"))], []))
    assert not re.search(r"CCC|RMSE|rated|Clusters|Emotions", seen)


def test_imported_weights_of_a_run_on_attributes(tmp_path):
    folder = write_rated(tmp_path, "a", weights="authors, 2024", training=None)
    (folder / "history.csv").write_text("fold,seed,epoch,loss\n")
    assert "No learning curves: the weights were imported." in text_of(page([read_run(folder)], []))


def test_a_run_says_what_became_of_its_clips(tmp_path):
    write_run(tmp_path, "a")
    report(tmp_path, ["a"])
    seen = text_of((tmp_path / "index.html").read_text())
    line = "Clips brought to 4.99 s about their middle: 12 of 240 cut, by up to 0.61 s; 228 padded"
    assert seen.count(f"{line}, by 1.23 s in the median.") == 1
    assert "length.policy" not in seen  # the line says it


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


def test_a_browser_shows_all_of_it_at_any_width_and_sorts(reports, tmp_path):
    if (shown_by := browser.path()) is None:
        pytest.skip(f"no browser found ({', '.join(browser.NAMES)})")
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
        [shown_by, *flags, f"--user-data-dir={tmp_path / 'profile'}", wrapper.as_uri()],
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


def test_a_run_has_a_map_with_a_key_of_its_emotions(tmp_path):
    assert "Map of held-out clips" not in text_of(page([read_run(write_run(tmp_path, "a"))], []))
    run = test_diagrams.mapped(write_run(tmp_path, "b"), maps.PLACES[3:])
    markup = page([run], [])
    seen = text_of(markup)
    assert "The vectors that the network of fold 1 makes of its held-out clips" in seen
    assert f"mean little by t-SNE. {' '.join(LABELS)} PCA " in " ".join(seen.split())
    assert markup.count('class="key spot" style="--own: var(--class-') == len(LABELS)
    rated = test_diagrams.mapped(write_rated(tmp_path, "c"), maps.PLACES[3:])
    assert "by arousal, the darker the higher" in text_of(page([rated], []))
