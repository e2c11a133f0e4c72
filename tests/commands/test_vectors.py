"""Vectors: the last layer makes of them what evaluate has; what has none is refused."""

import keras
import numpy as np
import pandas as pd
import pytest

from pipeline.commands.vectors import vectors
from pipeline.errors import InputError
from pipeline.inference import cards
from tests import rated

pytestmark = pytest.mark.slow


def test_the_last_layer_makes_of_them_what_was_evaluated(finished, tmp_path, capsys):
    bundle = finished / "models" / "tiny"
    vectors(bundle, csv=tmp_path / "v.csv")
    table = pd.read_csv(tmp_path / "v.csv")
    evaluated = pd.read_csv(finished / "reports" / "runs" / "tiny" / "predictions.csv")
    shared = [name for name in evaluated if name in table]
    labels = cards.read(bundle).target.labels
    assert {"clip", "speaker", "label", "predicted", "fold", "seed", "p_angry"} <= {*shared}
    pd.testing.assert_frame_equal(table[shared], evaluated[shared], atol=1e-6, rtol=0)
    names = [f"v{i}" for i in range(1, 5)]  # of four filters
    assert [*table.columns[-4:]] == names
    model = keras.models.load_model(bundle / "fold-02.keras", compile=False)
    kernel, bias = model.get_layer("head").get_weights()
    of_fold = table[table.fold == 2]
    logits = of_fold[names].to_numpy() @ kernel + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted = of_fold[[f"p_{label}" for label in labels]]
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), wanted, atol=1e-5)
    assert "210 vectors of 4 values" in capsys.readouterr().out


def test_of_one_fold(finished, tmp_path):
    made = {"csv": tmp_path / "v.csv", "picture": tmp_path / "v.png"}
    vectors(finished / "models" / "tiny", fold=3, **made)
    assert (tmp_path / "v.png").read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(tmp_path / "v.csv").fold) == {3}
    with pytest.raises(InputError, match="tiny: no fold 6; it has 1 to 5"):
        vectors(finished / "models" / "tiny", csv=tmp_path / "w.csv", fold=6)


def test_what_has_no_vectors_is_refused(finished, tmp_path):
    with pytest.raises(InputError, match=r"picture: .*a\.pdf: wanted a name that ends in \.png"):
        vectors(finished / "models" / "tiny", csv=tmp_path / "v.csv", picture=tmp_path / "../a.pdf")
    away = tmp_path / "models" / "away"
    rated.write(away, "arousal")
    (tmp_path / "params.yaml").write_text((finished / "params.yaml").read_text())
    with pytest.raises(InputError, match=r"away: no run \w+ in params\.yaml; run dvc repro"):
        vectors(away, csv=tmp_path / "v.csv")
    assert not list(tmp_path.glob("*.csv"))
