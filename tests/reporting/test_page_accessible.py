"""The page as axe-core sees it, in light and in dark, on a phone and on a desk."""

import html
import json
import subprocess
from importlib import resources

import pytest

from pipeline.reporting import maps
from tests import browser
from tests.made_runs import ARTICLE, FLOORS, RUNS, report, write_rated, write_recorded, write_run
from tests.reporting import test_across, test_diagrams

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars "
    "--virtual-time-budget=60000 --dump-dom"
).split()
SCHEMES = {"dark": 0, "light": 1}  # as Blink numbers them
LOOK = """
axe.run(document, { resultTypes: ["violations"] }).then((found) => {
  const told = found.violations.map((one) => ({
    rule: one.id, count: one.nodes.length, first: one.nodes[0].html.slice(0, 200),
    why: one.nodes[0].failureSummary,
  }));
  const colour = getComputedStyle(document.body).backgroundColor;
  const kept = document.createElement("pre");
  kept.textContent = "[[" + JSON.stringify({ told, colour, rules: found.passes.length }) + "]]";
  document.body.replaceChildren(kept);
});
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Give a page with all its sections, axe-core in it."""
    axe = pytest.importorskip("axe_core_python")
    folder = tmp_path_factory.mktemp("page")
    write_run(folder, RUNS[0], right=0.9, selection="leaky", floors=FLOORS)
    for name, right in zip(RUNS[1:], (0.5, 0.6), strict=True):
        test_diagrams.mapped(write_run(folder, name, right=right), maps.PLACES[3:])
    write_recorded(folder, "kept", tables=True)
    write_rated(folder, "cluster-msp", published=[ARTICLE])
    test_across.write(folder / "across", run=RUNS[2])
    report(folder, [*RUNS, "cluster-msp"])
    script = (resources.files(axe) / "axe.min.js").read_text(encoding="utf-8")
    markup = (folder / "index.html").read_text(encoding="utf-8")
    looking = f"<script>{script}</script><script>{LOOK}</script></body>"
    path = folder / "looked-at.html"
    path.write_text(markup.replace("</body>", looking), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("width", (390, 1440))
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(page, tmp_path, scheme, width):
    if (shown_by := browser.path()) is None:
        pytest.skip(f"no browser found ({', '.join(browser.NAMES)})")
    flags = [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2000"]
    flags += [f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"]
    done = subprocess.run(
        [shown_by, *FLAGS, *flags, page.as_uri()], capture_output=True, text=True, timeout=300
    )
    said = html.unescape(done.stdout.partition("[[")[2].partition("]]")[0])
    found = json.loads(said)
    assert found["rules"] > 10
    assert (found["colour"] == "rgb(22, 21, 19)") == (scheme == "dark")
    assert found["told"] == []
