"""Links that move data about."""

import pytest
import torch

from pcm.chain.links.misc import Adapter, Cloner, Rearranger, Repeater
from pcm.errors import ConfigError


def test_concat_joins_along_the_dimension() -> None:
    adapter = Adapter({"aggregation_type": "concat", "kwargs": {"dim": -1}})
    a, b, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 1)
    batch, losses = adapter({"a": a, "b": b, "c": c}, batch_aggr_def={"new": ["b", "a", "c"]})
    assert losses == []
    assert torch.equal(batch["new"], torch.cat([b, a, c], dim=-1))


def test_sum_adds_with_broadcasting() -> None:
    adapter = Adapter({"aggregation_type": "sum", "kwargs": {}})
    a, b = torch.randn(2, 3), torch.randn(2, 1)
    batch, _ = adapter({"a": a, "b": b}, batch_aggr_def={"s": ["a", "b"]})
    assert torch.equal(batch["s"], a + b)


def test_what_is_consumed_and_not_created_leaves_the_batch() -> None:
    adapter = Adapter({"aggregation_type": "sum", "kwargs": {}})
    batch = {name: torch.ones(2) for name in ("a", "b", "c", "d")}
    batch, _ = adapter(batch, batch_aggr_def={"a": ["a", "b"], "e": ["a", "c"]})
    assert sorted(batch) == ["a", "d", "e"]
    # In order: the second sum sees the first one's result.
    assert torch.equal(batch["e"], torch.full((2,), 3.0))


def test_an_unknown_aggregation_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'concat'"):
        Adapter({"aggregation_type": "conact", "kwargs": {}})


def test_a_clone_is_a_copy_unless_told_otherwise() -> None:
    data = torch.randn(2, 3)
    copied, _ = Cloner({})({"a": data}, data_name="a", clone_name="b")
    assert torch.equal(copied["b"], data)
    assert copied["b"].data_ptr() != data.data_ptr()
    shared, _ = Cloner({})({"a": data}, data_name="a", clone_name="b", clone=False)
    assert shared["b"] is data


def test_rearranger_and_repeater_take_axes() -> None:
    data = torch.arange(12.0).reshape(2, 6)
    rearranged, _ = Rearranger({})({"a": data}, data_name="a", pattern="b (h w) -> b w h", h=2)
    assert torch.equal(rearranged["a"], data.reshape(2, 2, 3).transpose(1, 2))
    repeated, _ = Repeater({})({"a": data}, data_name="a", pattern="b d -> b s d", s=4)
    assert torch.equal(repeated["a"], torch.stack([data] * 4, dim=1))
