"""What it costs to verify a store when it is read.

Compared are the same values: read through zarr without checksums, as it was done before; read by
this pipeline, of a store without checksums; and of one with them, each chunk verified.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.bench import Size, page
from tests.bench.apart import apart

WAYS = {
    "zarr": "through zarr, nothing verified",
    "unverified": "by `pipeline.files.chunks`, of a store without checksums",
    "verified": "by `pipeline.files.chunks`, every chunk verified",
}
SHAPES = {"MFCC": (215, 39), "waveforms": (55_125,)}


def measure(size: Size) -> tuple[dict, str]:
    """Numbers, and the page of them."""
    clips = 64 if size.quick else 3200
    found = {
        name: apart(
            "reading.compare",
            clips if name == "MFCC" else clips // 8,
            shape,
            name,
            size.rounds * 4 + 1,
            cores=1,
        )
        for name, shape in SHAPES.items()
    }
    numbers = {}
    for name, one in found.items():
        seconds = one.answer
        numbers[name] = seconds | {
            "verified_vs_unverified": seconds["verified"] / seconds["unverified"],
            "verified_vs_zarr": seconds["verified"] / seconds["zarr"],
        }
    numbers["others_cores"] = max(one.others for one in found.values())
    rows = [[WAYS[way], *(f"{1000 * numbers[name][way]:.0f}" for name in SHAPES)] for way in WAYS]
    ratios = [
        [f"verified / {way}", *(f"{numbers[name][f'verified_vs_{way}']:.2f}" for name in SHAPES)]
        for way in ("unverified", "zarr")
    ]
    return (
        numbers,
        f"""\
# Reading a store, verified

{clips} clips of 215 frames of 39 MFCCs, shuffled, and {clips // 8} waveforms of 2.5 s, as the
stages store them, whole, from the page cache into memory; one core; milliseconds of the processor
(not of the clock), median of rounds in which the ways take turns.

{page.table(["values are read", *SHAPES], rows)}
{page.table(["ratio", *SHAPES], ratios)}
A disk that is slower than the page cache makes the check a smaller part of a read.

{page.quiet(numbers["others_cores"])}""",
    )


def compare(clips: int, shape: list[int], name: str, rounds: int) -> dict[str, float]:
    """Seconds of the processor for each way."""
    import zarr

    from pipeline.files import chunks, drafts, stores

    values = np.random.default_rng(0).normal(size=(clips, *shape)).astype(np.float32)
    content = np.zeros((clips, 32), np.uint8)
    facts = {"clips_sha256": "", "content": content, "code": "", "shuffle": name == "MFCC"}
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder, "s.zarr"), Path(folder, "plain.zarr")
        with drafts.create(path, values.shape, {}, **facts) as draft:
            for block in draft.pending():
                draft.fill(block, lambda rows: (values[rows], rows, rows * 0 + shape[0]))
        store = stores.read(path)
        codec = drafts.CODECS["shuffle" if name == "MFCC" else "noshuffle"]
        chunk = (store.x.chunk_clips, *shape)
        group = zarr.create_group(plain, zarr_format=3)
        group.create_array("x", data=values, chunks=chunk, compressors=[codec])
        old, unverified = zarr.open_array(plain / "x", mode="r"), chunks.opened(plain / "x")
        ways = {
            "zarr": lambda: old[:],
            "unverified": lambda: unverified.read(np.arange(clips)),
            "verified": lambda: store.x[:],
        }
        spent: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, read in ways.items():
                begun = time.process_time()
                found = read()
                spent[way].append(time.process_time() - begun)
                assert np.array_equal(found, values)
    return {way: statistics.median(times) for way, times in spent.items()}
