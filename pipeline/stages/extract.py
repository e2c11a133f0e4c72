"""Stage extract: one feature of every waveform of a store; knows no label and no fold."""

from functools import partial
from pathlib import Path

import numpy as np

from pipeline import parallel
from pipeline.config import code
from pipeline.config.records import Engine
from pipeline.errors import InputError
from pipeline.features import framing, recipes
from pipeline.features.recipes import FeatureRecipe
from pipeline.files import drafts, stores, tables
from pipeline.files.spec import Spec, WaveformSpec


def extract(waveforms: Path, store: Path, *, feature: FeatureRecipe, engine: Engine) -> None:
    """Write one feature tensor per clip.

    Parameters
    ----------
    waveforms : Path
        ``waveforms.zarr``.
    store : Path
        Feature store to write: ``x (clips, frames, ...)``, or ``(clips, segments, frames, ...)``;
        ``length`` as in the waveforms; with ``chunks``, ``sums`` over all frames.
    feature, engine
        Lines of params.yaml.

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """
    modules = code.modules("extract", feature)
    source = stores.read(waveforms)
    spec = feature.spec(WaveformSpec.from_json(source.spec))
    held = source.valid
    silence = np.zeros((held.max(), *source.x.shape[2:]), np.float32)
    # the shortest too: if it is too short for a setting, that is known now and not in an hour
    shape = recipes.cut(_whole([silence, silence[: held.min()]], spec, store)[0], spec).shape
    settings = {
        "clips_sha256": source.clips_sha256,
        "content": source.hash,
        "code": tables.sha256([code.sha256(*modules), recipes.versions(feature.function)]),
    }
    with drafts.create(store, (source.x.shape[0], *shape), spec.to_json(), **settings) as draft:
        clips = partial(_clips, source, shape, spec, store)
        fill = partial(draft.fill, compute=clips)
        parallel.each(fill, draft.pending(), "extract", engine.workers)


def _clips(source: stores.Store, shape: tuple, spec: Spec, store: Path, rows: np.ndarray) -> tuple:
    """Features (rows, ...) with zeros at the end, the clips' lengths, what is valid, and sums."""
    made: list[np.ndarray] = []
    sums: list[np.ndarray] = []
    held = source.valid[rows]
    step = source.x.chunk_clips  # as much sound at once as one chunk holds, for any block
    for first in range(0, len(rows), step):
        sound = source.x[rows[first : first + step]]
        clips = [clip[:samples] for clip, samples in zip(sound, held[first:], strict=False)]
        whole = _whole(clips, spec, store)
        made += [recipes.cut(values, spec) for values in whole]
        sums += [framing.sums(values) for values in whole if spec.chunks]
    facts = source.length[rows], np.array([*map(len, made)]), *([np.stack(sums)] if sums else [])
    return framing.rectangle(made, shape), *facts


def _whole(clips: list[np.ndarray], spec: Spec, store: Path) -> list[np.ndarray]:
    """Features of clips ahead of `recipes.cut`; a setting out of bounds is named with the store."""
    try:
        return recipes.whole(clips, spec)
    except InputError as error:
        raise InputError(f"{store}: {error}; see features in params.yaml") from None
