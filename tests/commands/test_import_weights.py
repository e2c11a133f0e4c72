"""Import: published checkpoints become bundles that give the authors' scores, or one line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import soundfile

from pipeline.commands.import_weights import SPEC, import_weights
from pipeline.config import params
from pipeline.errors import InputError
from pipeline.inference import cards, models
from pipeline.models.deep_emo_cluster import network as deep_emo_cluster
from pipeline.models.deep_emo_cluster import weights as published
from pipeline.stages import waveforms
from tests.models import running

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PUBLISHED = SHARED / "weights" / "deepemocluster"
GOLDEN = SHARED / "golden" / "deepemocluster" / "frontend.npz"
NAME = "TempDeepEmoCluster_epoch30_batch64_10clusters_{}_Temp-{}.pth.tar"
DOMINANCE = NAME.format("Dom", "CNN")
CLUSTERS = {"clusters.kernel": np.zeros((256, 10)), "clusters.bias": np.zeros(10)}


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """Give ``checkpoint(temporal, name)``: a made-up one with its normalisation next to it."""

    def make(temporal="cnn", name=DOMINANCE, shape=(11, 62, 128)):
        model = running.build("deep_emo_cluster", shape, 1, temporal=temporal, seed=1)
        weights = running.values(deep_emo_cluster, model)
        weights = {role: w for role, w in weights.items() if role not in deep_emo_cluster.SCALES}
        monkeypatch.setattr(published, "read_published", lambda path: weights | CLUSTERS)
        folder = tmp_path / "published"
        folder.mkdir()
        (folder / name).write_bytes(b"weights")
        constants = {"feat": (np.arange(128.0), np.arange(128.0)), "dom": ([4.5], [0.7])}
        for word, (means, stds) in constants.items():
            for what, values in (("means", means), ("stds", stds)):
                constant = {"normal_para": np.array([values])}
                scipy.io.savemat(folder / f"{word}_norm_{what}.mat", constant)
        return folder / name

    return make


def card_of(bundle):
    return json.loads((bundle / "card.json").read_text())


# ---- what is written -------------------------------------------------------------------------


def test_a_bundle_holds_weights_and_scales(checkpoint, tmp_path, capsys):
    path, bundle = checkpoint(), tmp_path / "models" / "dom"
    import_weights("deepemocluster", path, bundle)
    assert capsys.readouterr().out == f"{bundle}: dominance, cnn, of {path.name}\n"
    card = card_of(bundle)
    assert (card["attributes"], card["labels"]) == (["dominance"], [])
    assert set(card["weights"]) == {
        path.name,
        *("feat_norm_means.mat", "feat_norm_stds.mat", "dom_norm_means.mat", "dom_norm_stds.mat"),
    }
    model = models.models(cards.read(bundle))(cards.read(bundle).folds[0])
    found = running.values(deep_emo_cluster, model)
    wanted = published.read_published(path) | {
        **{"scaled.mean": np.arange(128), "scaled.std": np.arange(128)},
        **{"ratings.mean": 4.5, "ratings.std": 0.7},
    }
    for role, values in found.items():
        np.testing.assert_allclose(values, wanted[role], rtol=1e-6, err_msg=role)
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["dom"]


@pytest.mark.parametrize(
    ("temporal", "name", "temporal_found"),
    [
        ("gru", NAME.format("Dom", "GRU"), "gru"),
        ("trans", "a_Dom_Temp-CNN.pth.tar", "trans"),  # the weights know better
        ("none", NAME.format("Dom", "Triplet"), "triplet"),
        ("none", "DeepEmoClusters_10clusters_Dom_vgg16.pth.tar", "none"),
    ],
)
def test_the_weights_say_which_network_it_is(checkpoint, tmp_path, temporal, name, temporal_found):
    import_weights("deepemocluster", checkpoint(temporal, name), tmp_path / "a")
    assert card_of(tmp_path / "a")["settings"]["temporal"] == temporal_found


def test_the_attribute_and_the_folder_may_be_named(checkpoint, tmp_path):
    path = checkpoint(name="best.pth.tar")
    elsewhere = path.rename(tmp_path / "best.pth.tar")
    options = {"attribute": "dominance", "normalisation": tmp_path / "published"}
    import_weights("deepemocluster", elsewhere, tmp_path / "a", **options)
    assert card_of(tmp_path / "a")["attributes"] == ["dominance"]


def test_the_spec_is_that_of_the_recipes():
    held = params.load(ROOT / "params.yaml")
    waveform = waveforms.resolved(held.sounds["demo-whole-16k"], np.array([1]))
    assert held.features["mel128-chunks"].spec(waveform).to_json() == SPEC


# ---- what is refused -------------------------------------------------------------------------


def broken(path, name, values):
    """Write another file of normalisation next to a checkpoint."""
    held = values if isinstance(values, dict) else {"normal_para": np.array([values])}
    scipy.io.savemat(path.with_name(name), held)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.with_name("dom_norm_stds.mat").unlink(), "holds no dom_norm_stds.mat"),
        (lambda path: broken(path, "dom_norm_stds.mat", [0.0]), "dom_norm_stds.mat: holds 0, want"),
        (lambda path: broken(path, "feat_norm_means.mat", [1.0, 2]), "found 2 numbers, wanted 128"),
        (lambda path: broken(path, "feat_norm_stds.mat", [np.nan] * 128), "128, all finite"),
        (
            lambda path: broken(path, "feat_norm_stds.mat", {"b": 1}),
            r"MATLAB file with normal_para",
        ),
        (
            lambda path: path.with_name("dom_norm_means.mat").write_bytes(b"text" * 99),
            r"dom_norm_means\.mat: not a MATLAB file .*; copy it again",
        ),
    ],
    ids="missing still few nan other damaged".split(),
)
def test_normalisation_that_does_not_do(checkpoint, tmp_path, spoil, message):
    path = checkpoint()
    spoil(path)
    with pytest.raises(InputError, match=message):
        import_weights("deepemocluster", path, tmp_path / "models" / "a")
    assert not (tmp_path / "models").exists()


def test_any_cut_of_a_file_of_normalisation_is_an_error(checkpoint, tmp_path):
    path = checkpoint()
    file = path.with_name("feat_norm_means.mat")
    content = file.read_bytes()
    for size in (*range(0, 200, 7), *range(200, len(content), 97)):
        file.write_bytes(content[:size])
        with pytest.raises(InputError, match="feat_norm_means"):
            import_weights("deepemocluster", path, tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "best.pth.tar",
            {},
            r"best\.pth\.tar: its name states no attribute \(_Act_, _Dom_ or _Val",
        ),
        ("best.pth.tar", {"attribute": "arousl"}, "attribute: no 'arousl'; did you mean arousal"),
        ("a_Act_.pth.tar", {}, r"holds no act_norm_means\.mat, act_norm_stds\.mat; name the"),
    ],
)
def test_an_attribute_that_is_not_known(checkpoint, tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        import_weights("deepemocluster", checkpoint(name=name), tmp_path / "a", **options)
    assert not (tmp_path / "a").exists()


def test_weights_of_another_size(checkpoint, tmp_path):
    with pytest.raises(InputError, match=r"tar: weights: dense\.kernel: found shape"):
        import_weights("deepemocluster", checkpoint(shape=(11, 30, 128)), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_bundle_that_is_there_is_left_alone(checkpoint, tmp_path):
    with pytest.raises(InputError, match="published: is there already; choose another folder"):
        import_weights("deepemocluster", checkpoint(), tmp_path / "published")


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), (b"no pickle", "not a PyTorch checkpoint")]
)
def test_what_is_no_checkpoint(tmp_path, content, message):
    path = tmp_path / NAME.format("Act", "CNN")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        import_weights("deepemocluster", path, tmp_path / "a")


# ---- the authors' weights --------------------------------------------------------------------


@pytest.mark.corpus
@pytest.mark.parametrize("variant", ["CNN", "Triplet"])
def test_the_authors_scores_come_out_by_command(environment, tmp_path, variant):
    if not (PUBLISHED.is_dir() and GOLDEN.is_file()):
        pytest.skip("the authors' weights are not here")
    with np.load(GOLDEN) as held:
        signal = held["wav"]
        names = [NAME.format(word, variant) for word in ("Act", "Dom", "Val")]
        wanted = [float(held[f"pred/{name.removesuffix('.pth.tar')}"]) for name in names]
    (tmp_path / "test").mkdir()
    soundfile.write(tmp_path / "test" / "clip.wav", signal, 16000, subtype="FLOAT")
    lines = [f"import deepemocluster {PUBLISHED / name} {i}" for i, name in enumerate(names)]
    lines.append("predict 0 test --also 1 2 --scores pred_result.csv")
    code = "import sys; from pipeline import commandline\n"
    code += "for line in sys.argv[1:]:\n    sys.argv = ['ser', *line.split()]; commandline.main()"
    settings = {"cwd": tmp_path, "env": environment | {"PYTHONPATH": str(ROOT)}}
    subprocess.run([sys.executable, "-c", code, *lines], check=True, **settings)
    table = pd.read_csv(tmp_path / "pred_result.csv")
    assert list(table.columns) == ["File_Name", "Aro-Score", "Dom-Score", "Val-Score"]
    ((name, *scores),) = table.to_numpy().tolist()
    print(f"\n{variant}: ours {np.round(scores, 4)}, theirs {np.round(wanted, 4)}")
    assert name == "clip.wav"
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=1e-3)
