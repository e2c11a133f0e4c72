"""eGeMAPS v02: the 88 functionals of the extended Geneva minimalistic acoustic parameter set.

Computed by afx-audio (MIT), written from the paper and from the parameters of openSMILE's
configuration; openSMILE's own binaries are not for commercial use. How far the two agree,
functional by functional, stands in features/README.md.

References
----------
Eyben et al., "The Geneva minimalistic acoustic parameter set (GeMAPS) for voice research and
affective computing", IEEE Transactions on Affective Computing 7(2), 2016.
"""

from __future__ import annotations

from pipeline.errors import InputError
from pipeline.lazy import np

PACKAGES = ("afx-audio",)  # whose versions decide values, besides those of every feature


def functionals(signals: np.ndarray, sample_rate: int) -> np.ndarray:
    """Functionals of each clip, in openSMILE's order and units.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0. Silence at the ends counts: take clips whole, without padding.
    sample_rate : int
        Rate in hertz; the formants need 16000 or more.

    Returns
    -------
    ndarray, shape (clips, 1, 88), float32
        0 where a clip has nothing to measure: the pitch of silence.

    Raises
    ------
    InputError
        If afx-audio is not installed.
    """
    try:
        import afx_audio  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise InputError(
            "egemaps.functionals needs the package afx-audio; pip install 'ser-pipeline[egemaps]'"
        ) from None
    found = [[*afx_audio.egemaps(s.astype(np.float64), sample_rate).values()] for s in signals]
    return np.array(found, np.float32)[:, None]
