"""Files that state the content of others, written again with other values."""

from pathlib import Path

from pipeline.files import checked, tables


def rewrite(path: Path, **values) -> None:
    """Set values of a JSON file; its checksum, and those of its neighbours, are right again."""
    files = [path.with_name(name) for name in tables.read_json(path)["contents"]]
    checked.write(checked.read(path) | values, path, files)
