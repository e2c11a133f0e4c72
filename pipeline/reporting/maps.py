"""Maps of the vectors that networks make of clips: near each other, alike to the network."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.reporting.drawing import spread, write_png

NEIGHBOURS = 30  # perplexity of t-SNE, where there are three times as many clips or more
COLUMNS, INCHES = 4, 3.2
LEAST, MOST = 4, 500  # clips of a map
PLACES = ["clip", "fold", "seed", "pca_1", "pca_2", "tsne_1", "tsne_2"]


def positions(vectors: np.ndarray) -> np.ndarray:
    """Place vectors on a plane by t-SNE [1]_, from their first two principal components on.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
        Four clips or more.

    Returns
    -------
    ndarray, shape (clips, 2)
        The same for the same vectors. Distances between far clips mean little.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton, Visualizing data using t-SNE, Journal of Machine
       Learning Research 9, 2008.
    """
    from sklearn.manifold import TSNE

    perplexity = min(NEIGHBOURS, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors)


def components(vectors: np.ndarray) -> np.ndarray:
    """Place vectors on a plane by their first two principal components.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
        Two clips or more, of two dimensions or more.

    Returns
    -------
    ndarray, shape (clips, 2)
        Its signs are such that the largest weight of either component is positive.
    """
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])
    return centred @ (axes[:2] * signs[:, None]).T


def table(clips: pd.DataFrame, vectors: np.ndarray) -> pd.DataFrame:
    """Place the clips of one network on two maps.

    Parameters
    ----------
    clips : DataFrame
        ``clip, fold, seed`` of each.
    vectors : ndarray, shape (clips, dims)

    Returns
    -------
    DataFrame
        ``PLACES``, of 500 clips at most, evenly taken; of fewer than four clips, or of vectors of
        one dimension, none.
    """
    if min(len(clips), 2 * vectors.shape[1]) < LEAST:
        return pd.DataFrame(columns=PLACES)
    drawn = spread(len(clips), MOST)
    taken = vectors[drawn].astype(np.float64)
    both = np.hstack([components(taken), positions(taken)]).round(3)
    found = clips.iloc[drawn][PLACES[:3]].reset_index(drop=True)
    return found.join(pd.DataFrame(both, columns=PLACES[3:]))


def draw(vectors: np.ndarray, truth: pd.Series, panels: pd.Series, picture: Path) -> None:
    """Draw a map for each network: vectors of two are not comparable.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
    truth : Series
        Emotion of each clip, or a rating.
    panels : Series of str
        Network that made each vector.
    picture : Path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(panels))
    rows, columns = -(-len(names) // COLUMNS), min(COLUMNS, len(names))
    figure = Figure(figsize=(INCHES * columns, INCHES * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    labels = [] if pd.api.types.is_numeric_dtype(truth) else sorted(set(truth))
    shown: list = []
    for axes, name in zip(grid, names, strict=False):
        own = (panels == name).to_numpy()
        places, true = positions(vectors[own]), truth[own].to_numpy()
        axes.set(title=name, xticks=[], yticks=[])
        if labels:
            shown = [
                axes.scatter(*places[true == label].T, s=9, color=f"C{i}", label=label)
                for i, label in enumerate(labels)
            ]
        else:
            shown = [axes.scatter(*places.T, s=9, c=true, cmap="viridis")]
    for axes in grid[len(names) :]:
        axes.remove()
    if labels:
        figure.legend(handles=shown, loc="outside lower center", ncols=4, frameon=False)
    else:
        figure.colorbar(shown[0], ax=list(grid[: len(names)]), label=str(truth.name))
    write_png(figure, picture)
