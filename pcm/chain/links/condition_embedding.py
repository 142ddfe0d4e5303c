"""Embeddings of sets of conditions, some of which may be unknown."""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from pcm.chain.types import Batch, LinkOutput
from pcm.config.structures import links as structures

PADDING_ID = 0
"""Condition id of an empty place in the set."""


class ConditionEmbedding(nn.Module):
    """Condition embedding plus category embedding; a range of rows for each condition.

    Condition ids go from 1 to `n_conditions`, categories of each from 0.
    """

    first_rows: Tensor

    def __init__(self, cfg: Mapping[str, Any], embedding_dim: int) -> None:
        super().__init__()
        sizes: list[int] = cfg["n_categories_per_condition"]
        self.conditions = nn.Embedding(1 + len(sizes), embedding_dim, PADDING_ID)
        self.categories = nn.Embedding(1 + sum(sizes), embedding_dim, PADDING_ID)
        # Row 0 is padding's; the ranges of the conditions follow it.
        first_rows = torch.tensor([0, *accumulate(sizes[:-1], initial=1)])
        self.register_buffer("first_rows", first_rows, persistent=False)

    def forward(self, condition_ids: Tensor, category_ids: Tensor) -> Tensor:
        """(batch, set), (batch, set) -> (batch, set, embedding_dim)."""
        rows = self.first_rows[condition_ids] + category_ids.long()
        embedding: Tensor = self.conditions(condition_ids) + self.categories(rows)
        return embedding


class ConditionSetEmbeddingTransformer(nn.Module):
    """One vector for a set of conditions: a transformer's output at a learned pooling token."""

    _config_structure = structures.CONDITION_SET_EMBEDDING_TRANSFORMER

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        dim = cfg["embedding_dim"]
        self.embedding = ConditionEmbedding(cfg["embedding_module"], dim)
        self.pooling_token = nn.Parameter(torch.randn(1, 1, dim))
        layer = nn.TransformerEncoderLayer(
            d_model=dim, **{"batch_first": True, **cfg["transformer"]["encoder_layer_kwargs"]}
        )
        # Nested tensors would make evaluation compute otherwise than training does.
        encoder_kwargs = {"enable_nested_tensor": False, **cfg["transformer"]["encoder_kwargs"]}
        self.encoder = nn.TransformerEncoder(layer, **encoder_kwargs)

    def forward(
        self, batch: Batch, cond_ids_name: str, cat_ids_name: str, cond_embed_name: str
    ) -> LinkOutput:
        """Add `cond_embed_name`: (batch, embedding_dim), from ids of shape (batch, set)."""
        condition_ids = batch[cond_ids_name]
        embedded = self.embedding(condition_ids, batch[cat_ids_name])
        pooling = self.pooling_token.expand(len(embedded), -1, -1)
        known = torch.zeros_like(condition_ids[:, :1], dtype=torch.bool)
        padding = torch.cat((known, condition_ids == PADDING_ID), dim=1)
        encoded = self.encoder(torch.cat((pooling, embedded), dim=1), src_key_padding_mask=padding)
        batch[cond_embed_name] = encoded[:, 0]
        return batch, []
