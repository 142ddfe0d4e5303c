"""Projections of points to fewer dimensions."""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Points = NDArray[np.float32]
Extras = dict[str, NDArray[np.generic]]
"""What a projection knows besides the projected points, by suffix of the data's name."""


class Projection(Protocol):
    """Projects points (points, dim) to (points, fewer)."""

    def __call__(self, points: Points, **kwargs: Any) -> tuple[Points, Extras]:
        """The projected points, and what else there is to know."""


def pca(points: Points, **kwargs: Any) -> tuple[Points, Extras]:
    """Principal component analysis; scikit-learn's arguments."""
    from sklearn.decomposition import PCA

    model = PCA(**{"random_state": 0, **kwargs})
    projected = model.fit_transform(points)
    extras = {
        "explained_variance_ratio": model.explained_variance_ratio_,
        "components": model.components_,
    }
    return projected, extras


def tsne(points: Points, **kwargs: Any) -> tuple[Points, Extras]:
    """t-SNE (van der Maaten and Hinton, 2008); scikit-learn's arguments."""
    from sklearn.manifold import TSNE

    return TSNE(**{"random_state": 0, "n_jobs": 1, **kwargs}).fit_transform(points), {}


def umap(points: Points, **kwargs: Any) -> tuple[Points, Extras]:
    """UMAP (McInnes et al., 2018); umap-learn's arguments."""
    # Compiling it takes seconds, which only those who use it should wait for.
    from umap import UMAP

    return UMAP(**{"random_state": 0, "n_jobs": 1, **kwargs}).fit_transform(points), {}


def as_points(data: Tensor) -> Points:
    """(items, samples, dim) as items times samples points; else one point an item."""
    rows = data.reshape(-1, data.shape[-1]) if data.ndim == 3 else data.reshape(len(data), -1)
    return rows.float().numpy()


def projected_like(projected: Points, data: Tensor) -> Tensor:
    """The projected points with `data`'s items and samples."""
    leading = data.shape[:2] if data.ndim == 3 else data.shape[:1]
    return torch.from_numpy(np.ascontiguousarray(projected)).reshape(*leading, -1)
