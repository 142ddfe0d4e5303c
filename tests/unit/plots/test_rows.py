from typing import Any

import pytest
from torch import Tensor

from pcm.plots.figures import png_of
from pcm.plots.rows import rows_of_function
from pcm.plots.top_nodes import NprocBatch

CONDITIONS = ["condition_token_ids", "condition_values"]


def tree(*functions: tuple[str, list[str], dict[str, Any]]) -> NprocBatch:
    leaves = [
        {"name": name, "data_args_names": data, "kwargs": kwargs, "filename_comp": name}
        for name, data, kwargs in functions
    ]
    node = {"node_name": "plt_fn_node_list", "node_cfg": {"plt_fn_node_list": leaves}}
    return NprocBatch({"n_batches": 2, "plt_tree_cfg": [node]}, "tree")


def parts(batch: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    return [{name: t[each] for name, t in batch.items()} for each in (slice(50), slice(50, None))]


def test_only_the_rows_that_are_shown_are_kept_and_the_pictures_are_the_same(
    batch: dict[str, Tensor],
) -> None:
    top = tree(
        ("original_vs_reconstructed_plot", ["img", "reconstruction"], {"num_images": 52}),
        ("original_vs_reconstructed_plot", ["img", "img"], {"num_images": None}),
        ("images_with_conditions_plot", ["samples", *CONDITIONS], {"disp_batch_size": 3}),
        ("colored_scatterplot", ["latent", "condition_values"], {}),
    )
    kept = top.data(lambda one: one, parts(batch))
    counts = {name: len(tensor) for name, tensor in kept.items() if len(tensor) > 0}
    assert counts == {
        "img": 52,
        "reconstruction": 52,
        "samples": 3,
        "latent": 60,
        "condition_token_ids": 3,
        "condition_values": 60,
    }
    # A view would be written with all that it looks at.
    assert kept["samples"].untyped_storage().nbytes() == 4 * kept["samples"].numel()
    for (name, ours), (_, whole) in zip(top.figures(kept), top.figures(batch), strict=True):
        assert png_of(ours) == png_of(whole), name


@pytest.mark.parametrize(
    ("name", "kwargs", "rows"),
    [
        ("images_with_conditions_plot", {}, 8),
        ("original_vs_reconstructed_plot", {"num_images": None, "num_rows": 2}, 16),
        ("pairplot", {"n_data_cols": 4}, None),
        ("no such function", {}, None),
    ],
)
def test_without_a_limit_the_default_counts(
    name: str, kwargs: dict[str, Any], rows: int | None
) -> None:
    assert rows_of_function(name, kwargs) == rows


def test_fewer_rows_than_are_asked_for_are_all_kept(batch: dict[str, Tensor]) -> None:
    images = ("images_with_conditions_plot", ["samples", *CONDITIONS], {"disp_batch_size": 500})
    kept = tree(images).data(lambda one: one, [batch])
    assert len(kept["samples"]) == len(batch["samples"])
