"""The set transformer: rows, masking, pooling."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pcm.chain.links.condition_embedding import (
    ConditionEmbedding,
    ConditionSetEmbeddingTransformer,
)

EMBEDDING = {"n_conditions": 3, "n_categories_per_condition": [4, 2, 3]}
CFG: dict[str, Any] = {
    "embedding_dim": 8,
    "transformer": {
        "encoder_kwargs": {"num_layers": 2},
        "encoder_layer_kwargs": {"nhead": 2, "dim_feedforward": 16, "dropout": 0.0},
    },
    "embedding_module": EMBEDDING,
}
NAMES = {"cond_ids_name": "ids", "cat_ids_name": "values", "cond_embed_name": "embedding"}


@pytest.fixture
def link() -> ConditionSetEmbeddingTransformer:
    return ConditionSetEmbeddingTransformer(CFG)


def embed(link: ConditionSetEmbeddingTransformer, ids: Any, values: Any) -> Tensor:
    batch, losses = link({"ids": torch.tensor(ids), "values": torch.tensor(values)}, **NAMES)
    assert losses == []
    embedding: Tensor = batch["embedding"]
    return embedding


def test_every_category_of_every_condition_has_its_own_row() -> None:
    embedding = ConditionEmbedding(EMBEDDING, 8)
    pairs = [(i + 1, c) for i, size in enumerate([4, 2, 3]) for c in range(size)]
    ids, categories = torch.tensor(pairs).unbind(1)
    rows = embedding.first_rows[ids] + categories
    assert rows.tolist() == list(range(1, 10))
    assert embedding.categories.num_embeddings == 10


def test_an_embedding_is_condition_plus_category() -> None:
    embedding = ConditionEmbedding(EMBEDDING, 8)
    result = embedding(torch.tensor([[2, 0]]), torch.tensor([[1.0, 0.0]]))
    expected = embedding.conditions.weight[2] + embedding.categories.weight[6]
    torch.testing.assert_close(result[0, 0], expected)
    assert torch.equal(result[0, 1], torch.zeros(8))


def test_the_pooling_token_comes_first_and_is_what_remains(
    link: ConditionSetEmbeddingTransformer,
) -> None:
    ids, values = torch.tensor([[1, 3]]), torch.tensor([[2.0, 0.0]])
    embedded = link.embedding(ids, values)
    sequence = torch.cat((link.pooling_token, embedded), dim=1)
    torch.testing.assert_close(embed(link, [[1, 3]], [[2.0, 0.0]]), link.encoder(sequence)[:, 0])


def test_padding_changes_nothing(link: ConditionSetEmbeddingTransformer) -> None:
    short = embed(link, [[1, 3]], [[2.0, 0.0]])
    padded = embed(link, [[1, 3, 0, 0]], [[2.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(padded, short)


def test_the_order_of_conditions_changes_nothing(link: ConditionSetEmbeddingTransformer) -> None:
    one = embed(link, [[1, 3]], [[2.0, 1.0]])
    other = embed(link, [[3, 1]], [[1.0, 2.0]])
    torch.testing.assert_close(one, other)


def test_values_make_a_difference(link: ConditionSetEmbeddingTransformer) -> None:
    embeddings = embed(link, [[1], [1], [2]], [[0.0], [1.0], [0.0]])
    distances = torch.cdist(embeddings, embeddings)
    assert (distances[~torch.eye(3, dtype=torch.bool)] > 1e-3).all()


def test_a_set_of_which_nothing_is_known_has_an_embedding(
    link: ConditionSetEmbeddingTransformer,
) -> None:
    embeddings = embed(link, [[0, 0], [1, 0]], [[0.0, 0.0], [0.0, 0.0]])
    assert embeddings.shape == (2, 8)
    assert torch.isfinite(embeddings).all()


def test_training_and_evaluation_compute_the_same(link: ConditionSetEmbeddingTransformer) -> None:
    arguments = ([[1, 0], [2, 3]], [[3.0, 0.0], [1.0, 2.0]])
    trained = embed(link.train(), *arguments)
    with torch.no_grad():
        evaluated = embed(link.eval(), *arguments)
    torch.testing.assert_close(trained, evaluated)


def test_every_parameter_gets_a_gradient_and_padding_gets_none(
    link: ConditionSetEmbeddingTransformer,
) -> None:
    embed(link, [[1, 2, 0]], [[3.0, 1.0, 0.0]]).square().sum().backward()
    without = [name for name, each in link.named_parameters() if each.grad is None]
    assert without == []
    for table in (link.embedding.conditions, link.embedding.categories):
        assert table.weight.grad is not None
        assert torch.equal(table.weight.grad[0], torch.zeros(8))
