"""The demo corpus and one of one's own, joined."""

from pathlib import Path

from tests.copies import demo, table

SETTINGS = {"of": {"demo": "demo", "mine": "table"}}


def write(folder: Path, clips: int | None = None) -> None:
    """Write both; of so many clips, half are of the demo corpus."""
    demo.write(folder / "demo", clips and clips - clips // 2)
    table.write(folder / "mine", clips and clips // 2)
