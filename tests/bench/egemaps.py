"""eGeMAPS by `pipeline.features.egemaps` and by openSMILE on the same sound, each functional.

Needs afx-audio, opensmile and the demo corpus in raw_data; takes RAVDESS where it is in ../shared.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.features import egemaps, resampling
from pipeline.files import audio
from tests.bench import Size, page

RATE = 16000
DEMO, RAVDESS = Path("raw_data/demo/wav"), Path("../shared/corpora/ravdess")
CLIPS = 40  # of RAVDESS, evenly from its list


def measure(size: Size) -> tuple[dict, str]:
    corpora = {"demo": sorted(DEMO.rglob("*.wav")), "ravdess": sorted(RAVDESS.rglob("*.flac"))}
    corpora["ravdess"] = corpora["ravdess"][:: max(1, len(corpora["ravdess"]) // CLIPS)][:CLIPS]
    if not corpora["demo"]:
        raise InputError(f"{DEMO}: holds no clips; dvc repro demo")
    numbers, names = {}, []
    for corpus, paths in corpora.items():
        if paths:
            names, found, wanted = both(
                [at_rate(path) for path in paths[: 5 if size.quick else None]]
            )
            numbers[corpus] = {"clips": len(found)} | agreement(found, wanted)
    heads = [f"{corpus}: {what}" for corpus in numbers for what in ("correlation", "difference")]
    rows = [
        [f"`{name}`"]
        + [
            f"{of[what][i]:.2f}"
            for of in numbers.values()
            for what in ("correlation", "difference")
        ]
        for i, name in enumerate(names)
    ]
    counts = ", ".join(f"{of['clips']} of {corpus}" for corpus, of in numbers.items())
    heads_of = {"functional": rows, "group": list(grouped(names, numbers))}
    each, groups = (page.table([first, *heads], of) for first, of in heads_of.items())
    text = (
        "# eGeMAPS v02: afx-audio and openSMILE on the same sound\n\n"
        f"Whole clips at {RATE} Hz: {counts}. Correlation over the clips; median difference in "
        "deviations of openSMILE's values over the clips. Of a group, medians over its "
        f"functionals.\n\n{groups}\n{each}"
    )
    return numbers | {"names": names}, text


def at_rate(path: Path) -> np.ndarray:
    """Waveform of a sound file, as a recipe with length whole makes it."""
    channels, rate = audio.read(path)
    return resampling.resample(audio.mono(channels), rate, RATE, method="soxr_hq")


def both(signals: list[np.ndarray]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the functionals, and ours and openSMILE's (clips, 88)."""
    import opensmile

    functionals = opensmile.FeatureLevel.Functionals
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, functionals)
    found = np.concatenate([egemaps.functionals(s[None], RATE)[:, 0] for s in signals])
    wanted = np.concatenate([smile(s, RATE).reshape(1, -1) for s in signals])
    return list(smile.feature_names), found, wanted


def agreement(found: np.ndarray, wanted: np.ndarray) -> dict[str, list[float]]:
    """Correlation over the clips, and median difference in deviations, of each functional."""
    spread = wanted.std(axis=0)
    spread[spread == 0] = 1
    with np.errstate(invalid="ignore", divide="ignore"):
        ours, theirs = (v - v.mean(axis=0) for v in (found, wanted))
        products = (ours * theirs).sum(axis=0)
        correlation = products / np.sqrt((ours**2).sum(axis=0) * (theirs**2).sum(axis=0))
    difference = np.median(np.abs(found - wanted), axis=0) / spread
    return {
        "correlation": np.nan_to_num(correlation).tolist(),
        "difference": difference.tolist(),
    }


GROUPS = {
    "pitch": ("F0",),
    "loudness, level": ("loudness", "equivalent"),
    "spectral flux": ("spectralFlux",),
    "MFCC 1 to 4": ("mfcc",),
    "alpha ratio, Hammarberg index, slopes": ("alphaRatio", "hammarberg", "slope"),
    "jitter, shimmer": ("jitter", "shimmer"),
    "harmonics to noise": ("HNR",),
    "harmonic differences": ("logRelF0",),
    "frequencies of formants": ("F1freq", "F2freq", "F3freq"),
    "bandwidths of formants": ("F1band", "F2band", "F3band"),
    "amplitudes of formants": ("F1ampl", "F2ampl", "F3ampl"),
    "voiced and unvoiced segments": ("Voiced", "MeanVoiced", "Stddev", "MeanUnvoiced"),
}


def grouped(names: list[str], numbers: dict) -> Iterator[list]:
    """Rows of the groups: medians over their functionals."""
    for group, starts in GROUPS.items():
        places = [i for i, name in enumerate(names) if name.startswith(starts)]
        yield [f"{group} ({len(places)})"] + [
            f"{np.median([of[what][i] for i in places]):.2f}"
            for of in numbers.values()
            for what in ("correlation", "difference")
        ]
