"""A bundle of two folds of a small TIM-Net, untrained, of three emotions."""

from dataclasses import replace

from pipeline.files import bundles
from pipeline.inference import cards
from pipeline.inference.cards import FoldModel
from pipeline.models.tim_net import Settings, network
from pipeline.scoring.targets import Emotions
from pipeline.settings import flat
from tests import rated

SHAPE, LABELS = (6, 5), ("angry", "happy", "sad")  # frames, bins
SETTINGS = Settings(blocks=1, filters=4, dropout=0.0)


def build(seed, *, shape=SHAPE, outputs=3):
    """Build the network of the bundle, or one of another input or output."""
    return network.build(shape, outputs, SETTINGS, seed)


def write(bundle):
    """Write the bundle; give its card."""
    folds = []
    bundle.mkdir(parents=True)
    for fold in (1, 2):
        name = f"fold-{fold:02d}.keras"
        bundles.write_model(build(fold).save, bundle / name)
        folds.append(FoldModel(fold, 0, name, 1))
    facts = {"model": "tim_net", "settings": flat(SETTINGS), "input_shape": SHAPE}
    card = rated.card(bundle, Emotions(LABELS), folds=tuple(folds), certificate="a", **facts)
    cards.write(replace(card, selection="leaky"), bundle)
    return cards.read(bundle)
