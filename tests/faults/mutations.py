"""Files that a stage reads, mutated: bytes flipped, cut, inserted, or those of another file.

Each kind is a function of a folder that writes what is read, and gives the files and a function
that reads them: what it gives must be what it gave before, or one line says what is wrong.
"""

import logging
import multiprocessing
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tests.faults import Tally, of_error

CLIPS = 70
BATCH = 250  # cases of one process, which a fault may end


class Subject(NamedTuple):
    """What is mutated, and read; whether another content may be read without a word."""

    files: list[Path]
    read: Callable[[], Any]
    free: bool = False


def mutate(held: bytes, generator: random.Random, others: list[bytes]) -> bytes | None:
    """Give other bytes; None for a file that is gone."""
    kind = generator.choice("flip flip flip byte cut insert zeros other gone empty".split())
    at = generator.randrange(len(held)) if held else 0
    if kind == "flip" and held:
        return held[:at] + bytes([held[at] ^ (1 << generator.randrange(8))]) + held[at + 1 :]
    if kind == "byte":
        return held[:at] + bytes([generator.randrange(256)]) + held[at + 1 :]
    if kind == "cut":
        return held[:at]
    if kind == "insert":
        return held[:at] + generator.randbytes(generator.randrange(1, 9)) + held[at:]
    if kind == "zeros":
        count = generator.randrange(1, 64)
        return held[:at] + bytes(min(count, len(held) - at)) + held[at + count :]
    if kind == "other":
        return generator.choice(others)
    return None if kind == "gone" else b""


def tried(subject: Subject, tally: Tally, generator: random.Random, cases: int) -> None:
    """Mutate a file, read, and put it back; so many times."""
    wanted, held = subject.read(), [path.read_bytes() for path in subject.files]
    for case in range(cases):
        place = generator.randrange(len(held))
        path, content = subject.files[place], mutate(held[place], generator, held)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        said = ""
        try:
            same = subject.read() == wanted or subject.free or content == held[place]
            outcome = "same" if same else "lost"
        except Exception as error:
            outcome, said = of_error(error), repr(error)
        tally.count(outcome, f"{path.name}, case {case}", said)
        path.unlink(missing_ok=True)
        path.write_bytes(held[place])


def store(folder: Path) -> Subject:
    """Give a store of three chunks."""
    from pipeline.files import drafts, stores

    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(CLIPS, 20, 13)).astype(np.float32)
    content = numbers.integers(1, 255, (CLIPS, 32)).astype(np.uint8)
    facts = {"clips_sha256": "clips", "content": content, "code": ""}
    path = folder / "s.zarr"
    with drafts.create(path, x.shape, {"made": "up"}, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], 100 + rows, np.full(len(rows), 20)))
    shutil.rmtree(folder / ".s.zarr.made")  # the same files

    def read() -> tuple:
        held = stores.read(path)
        arrays = (held.x[:], held.valid, held.length, held.hash, held.content)
        return (*(array.tobytes() for array in arrays), held.spec, held.clips_sha256)

    return Subject(sorted(p for p in path.rglob("*") if p.is_file()), read)


def tables(folder: Path) -> Subject:
    """Give an index, folds, and what states their content."""
    from pipeline.files import checked, tables
    from pipeline.files.index import Index

    names = [f"c{number}" for number in range(CLIPS)]
    index, folds = folder / "index.csv", folder / "folds.csv"
    clips = {"clip": names, "emotion": ["sad", "angry"] * (CLIPS // 2), "status": "ok"}
    tables.write(pd.DataFrame(clips), index)
    tables.write(pd.DataFrame({"clip": names, "label": "sad", "fold": 1, "part": "train"}), folds)
    checked.write({"clips": CLIPS}, folder / "quality.json", [index])
    checked.write({"allow": ["speaker"], "sha256": "folds"}, folder / "folds.json", [folds])

    def read() -> tuple:
        checked.expect(folder / "folds.json", folds)
        held = checked.read(folder / "folds.json"), checked.read(folder / "quality.json")
        return (*held, Index.read(index).clips.to_csv(), tables.read(folds).to_csv())

    return Subject([index, folds, folder / "quality.json", folder / "folds.json"], read)


def card(folder: Path) -> Subject:
    """Give a bundle as a training writes it."""
    from pipeline.inference import cards

    bundle = _bundle(folder)
    return Subject(sorted(bundle.iterdir()), lambda: (cards.read(bundle), _answer(bundle)))


def bundle(folder: Path) -> Subject:
    """Give a bundle whose card states nothing of its files, as those of others may."""
    from pipeline.files import tables
    from pipeline.inference import cards

    bundle = _bundle(folder)
    tables.write_json(cards.read(bundle).to_json(), bundle / "card.json")
    return Subject([bundle / "fold-01.keras"], lambda: _answer(bundle), free=True)


def params(folder: Path) -> Subject:
    """Give params.yaml, of which any other content may be meant."""
    from pipeline.config.params import load

    path = folder / "params.yaml"
    shutil.copyfile(Path(__file__).parents[2] / "params.yaml", path)
    return Subject([path], lambda: load(path), free=True)


def _bundle(folder: Path) -> Path:
    from dataclasses import replace

    from pipeline import models
    from pipeline.files import bundles
    from pipeline.inference import cards
    from pipeline.models.tim_net import Settings
    from pipeline.scoring.targets import Emotions
    from tests import rated

    bundle = folder / "run"
    bundle.mkdir()
    network = models.network("tim_net").build((16, 4), 2, Settings(blocks=1, filters=2), 0)
    bundles.write_model(network.save, bundle / "fold-01.keras")
    (bundle / "history.csv").write_text("fold,epoch\n1,1\n")
    made = rated.card(bundle, Emotions(("angry", "sad")), model="tim_net", input_shape=(16, 4))
    cards.write(replace(made, backend="jax"), bundle)
    return bundle


def _answer(bundle: Path) -> bytes:
    from pipeline.files import checked
    from pipeline.inference import cards, models

    held = cards.read(bundle)
    checked.expect(bundle / "card.json", bundle / "history.csv")
    return models.asked(held)(held.folds[0], [np.ones((16, 4), np.float32)])[0].tobytes()


KINDS = {one.__name__: one for one in (store, tables, card, bundle, params)}


def mutated(name: str, tally: Tally, seed: int, cases: int) -> None:
    """Try mutations in processes of their own, for one that a fault ends ends no other."""
    fresh = multiprocessing.get_context("spawn")
    for first in range(0, cases, BATCH):
        given, taken = fresh.Pipe(duplex=False)
        count = min(BATCH, cases - first)
        process = fresh.Process(target=_batch, args=(name, f"{seed} {first}", count, taken))
        process.start()
        taken.close()
        try:
            tally.counts.update(given.recv())
        except EOFError:
            tally.count("traceback", f"cases from {first}", "the process was ended")
        process.join()


def _batch(name: str, seed: str, count: int, taken) -> None:
    """Try some mutations of a kind; send the counts."""
    from pipeline.engine import backend

    logging.getLogger("pipeline").setLevel(logging.ERROR)
    if name in ("card", "bundle"):
        backend.start("jax")
    tally = Tally(name)
    with tempfile.TemporaryDirectory() as folder:
        subject = KINDS[name](Path(folder))
        tried(subject, tally, random.Random(seed), count)
    taken.send(tally.counts)
