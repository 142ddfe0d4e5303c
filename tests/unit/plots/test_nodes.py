import random
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pcm.config.structures import plots as structures
from pcm.errors import PcmError
from pcm.plots.nodes import PLOT_NODES, build_node
from pcm.plots.projections import as_points, pca, projected_like, tsne
from pcm.plots.top_nodes import TOP_NODES, build_top_node, join


def function(name: str, data: list[str], filename: str, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "data_args_names": data, "filename_comp": filename, "kwargs": kwargs}


def leaf(*functions: dict[str, Any]) -> dict[str, Any]:
    return {"node_name": "plt_fn_node_list", "node_cfg": {"plt_fn_node_list": list(functions)}}


SCATTER = function("colored_scatterplot", ["latent", "label"], "scatter")


def projection(data_name: str = "latent", **kwargs: Any) -> dict[str, Any]:
    return {"data_name": data_name, "kwargs": kwargs, **leaf(SCATTER)}


def names(node: str, cfg: dict[str, Any], batch: dict[str, Tensor]) -> list[str]:
    return [name for name, _ in build_node(node, cfg, "tree.0").figures(batch, {})]


def test_the_nodes_are_those_of_the_structures() -> None:
    assert set(PLOT_NODES) == set(structures.PLOT_NODES)
    assert set(TOP_NODES) == set(structures.PLOT_TOP_NODES)


def test_a_list_draws_each_function(batch: dict[str, Tensor]) -> None:
    cfg = leaf(SCATTER, function("pairplot", ["latents", "angle"], "pairs", n_data_cols=2))
    assert names("plt_fn_node_list", cfg["node_cfg"], batch) == ["scatter", "pairs"]


def test_null_stands_for_the_default(batch: dict[str, Tensor]) -> None:
    cfg = leaf(function("pairplot", ["latent", "label"], "pairs", hue_dim=None, n_data_cols=None))
    assert names("plt_fn_node_list", cfg["node_cfg"], batch) == ["pairs"]


def test_pca_feeds_its_results_to_the_node_below(batch: dict[str, Tensor]) -> None:
    cfg = projection(n_components=3) | leaf(
        SCATTER,
        function("explained_variance_ratio_barplot", ["latent_explained_variance_ratio"], "share"),
        function("features_components_corrplot", ["latent_components"], "components"),
    )
    before = batch["latent"].clone()
    assert names("perform_pca_node", cfg, batch) == [
        "latent_pca_scatter",
        "latent_pca_share",
        "latent_pca_components",
    ]
    assert torch.equal(batch["latent"], before)


def test_pca_is_that_of_linear_algebra(batch: dict[str, Tensor]) -> None:
    points = as_points(batch["latent"])
    projected, extras = pca(points, n_components=2)
    centred = points - points.mean(0)
    singular = np.linalg.svd(centred, compute_uv=False) ** 2
    assert extras["explained_variance_ratio"] == pytest.approx(
        (singular / singular.sum())[:2], rel=1e-4
    )
    assert projected == pytest.approx(centred @ extras["components"].T, abs=1e-4)


def test_axes_say_what_was_projected(batch: dict[str, Tensor]) -> None:
    node = build_node("perform_pca_node", projection(n_components=2), "tree.0")
    ((_, figure),) = node.figures(batch, {})
    assert figure.axes[0].get_xlabel() == "PCA of latent 1"


def test_projections_may_follow_each_other(batch: dict[str, Tensor]) -> None:
    cfg = {
        "data_name": "latent",
        "kwargs": {"n_components": 4},
        "node_name": "perform_tsne_node",
        "node_cfg": projection(perplexity=5),
    }
    ((name, figure),) = build_node("perform_pca_node", cfg, "tree.0").figures(batch, {})
    assert name == "latent_pca_latent_tsne_scatter"
    assert figure.axes[0].get_xlabel() == "TSNE of PCA of latent 1"


def test_tsne_is_the_same_every_time(batch: dict[str, Tensor]) -> None:
    points = as_points(batch["latent"])
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    first, _ = tsne(points, perplexity=5)
    second, _ = tsne(points, perplexity=5)
    assert first.shape == (60, 2)
    assert np.array_equal(first, second)


def test_umap_gets_its_arguments(batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    # Compiling the real one takes half a minute; what it computes is not ours.
    seen: dict[str, Any] = {}

    class Umap:
        def __init__(self, **kwargs: Any) -> None:
            seen.update(kwargs)

        def fit_transform(self, points: Any) -> Any:
            return points[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Umap))
    assert names("perform_umap_node", projection(n_neighbors=5), batch) == ["latent_umap_scatter"]
    assert seen == {"n_neighbors": 5, "random_state": 0, "n_jobs": 1}


@pytest.mark.parametrize(
    ("shape", "points"), [((7, 3), (7, 3)), ((7, 2, 3), (14, 3)), ((7, 1, 4, 4), (7, 16))]
)
def test_samples_are_points_and_images_too(shape: tuple[int, ...], points: tuple[int, int]) -> None:
    data = torch.rand(shape)
    assert as_points(data).shape == points
    back = projected_like(as_points(data)[:, :2], data)
    assert back.shape == (*shape[: 2 if len(shape) == 3 else 1], 2)
    assert torch.equal(back.reshape(-1, 2)[1], torch.from_numpy(as_points(data)[1, :2]))


def test_low_precision_is_drawn(batch: dict[str, Tensor]) -> None:
    batch["latent"] = batch["latent"].bfloat16()
    cfg = leaf(SCATTER)["node_cfg"]
    assert names("plt_fn_node_list", cfg, batch) == ["scatter"]
    assert names("perform_pca_node", projection(n_components=2), batch) == ["latent_pca_scatter"]


def test_too_few_samples_fail_by_name_and_leave_the_rest(batch: dict[str, Tensor]) -> None:
    small = {name: tensor[:3] for name, tensor in batch.items()}
    with pytest.warns(UserWarning, match=r"tree\.0 \(pca of latent\): ValueError: n_components"):
        assert names("perform_pca_node", projection(n_components=5), small) == []


def test_a_failing_function_is_named_and_leaves_the_rest(batch: dict[str, Tensor]) -> None:
    broken = function("pairplot", ["latent", "nothing"], "pairs")
    cfg = leaf(broken, SCATTER)["node_cfg"]
    with pytest.warns(UserWarning, match=r"plt_fn_node_list\.0 \(pairplot\).*no 'nothing'"):
        assert names("plt_fn_node_list", cfg, batch) == ["scatter"]


def test_unknown_nodes_are_refused() -> None:
    with pytest.raises(PcmError, match="no plot node 'perform_pca'"):
        build_node("perform_pca", {}, "tree.0")
    with pytest.raises(PcmError, match="no top node 'batch'"):
        build_top_node("batch", {}, "tree")


def test_equal_names_are_told_apart(batch: dict[str, Tensor]) -> None:
    cfg = {"n_batches": 1, "plt_tree_cfg": [leaf(SCATTER), leaf(SCATTER)]}
    top = build_top_node("nproc_batch", cfg, "tree")
    assert [name for name, _ in top.figures(batch)] == ["scatter", "scatter_2"]


def test_batches_are_joined_item_by_item() -> None:
    means = torch.rand(5, 2)
    results = [
        {"x": torch.full((count, 2), float(count)), "means": means, "scalar": torch.tensor(count)}
        for count in (4, 3)
    ]
    joined = join(results, [4, 3])
    assert joined["x"][:, 0].tolist() == [4.0] * 4 + [3.0] * 3
    assert torch.equal(joined["means"], means)
    assert joined["means"].data_ptr() != means.data_ptr()
    assert joined["scalar"] == 4
