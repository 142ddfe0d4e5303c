"""Conditional MNIST: finished batches against torchvision on single images in a DataLoader.

The peer is the usual way: a Dataset whose `__getitem__` draws the conditions of one image
and takes it through torchvision's functions, under a torch DataLoader. Both do the same
work on the same digits in one thread. Given our draws, the peer's images must be ours,
pixel for pixel. Both take turns, and the ratio is the median of the rounds.
Goal: 40 times the peer's images/s.

    python -m benchmarks.data_pipeline [--batch-size 256]
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import functional

from benchmarks.pairs import Rounds, cost_of
from pcm.config.document import load_document
from pcm.data import ConditionalMNIST
from pcm.data.digits import Digits, load_digits
from pcm.data.distributions import DISCRETE

DATA_FILE = Path(__file__).parents[1] / "config" / "data" / "mnist-test.yaml"
GOAL = 40
PASSES = 5
OURS, PEER = "pcm.data", "torchvision per image in a DataLoader"
TOLERANCE = 1e-5
SIDE = 28
Batches = Iterable[dict[str, Tensor]]


def transform(image: Tensor, name: str, argument: Any) -> Tensor:
    """One transform of one image, (1, side, side)."""
    result: Tensor
    if name == "fade":
        result = (image - argument).clamp(0, 1) / (1 - argument)
    elif name == "rotate":
        result = functional.rotate(image, float(argument))
    elif name == "resize":
        resized = functional.resize(image, [argument, argument])
        result = functional.center_crop(resized, [SIDE, SIDE])
    else:
        result = functional.affine(image, 0.0, argument, 1.0, [0.0, 0.0])
    return result


class PerImage(Dataset[dict[str, Tensor]]):
    """Each digit is transformed when it is asked for, under conditions drawn there."""

    def __init__(self, cfg: dict[str, Any], digits: Digits) -> None:
        self._images = digits.images
        self._labels = digits.labels.tolist()
        entries = [entry["cfg"] for entry in cfg["cond_trans_mgr"]]
        self._names = [entry["image_transform"]["name"] for entry in entries]
        self._arguments = [entry["categories_map"] for entry in entries]
        self._weights = [
            torch.from_numpy(DISCRETE[one["name"]](**one["kwargs"]))
            for one in (entry["distribution"] for entry in entries)
        ]
        label = cfg["label_condition"]
        self._token_ids = [label["token_id"], *(entry["token_id"] for entry in entries)]
        known_probs = [entry["known_prob"] for entry in (label, *cfg["cond_trans_mgr"])]
        self._known_probs = torch.tensor(known_probs, dtype=torch.float64)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        categories = [int(torch.multinomial(weights, 1)) for weights in self._weights]
        known = torch.bernoulli(self._known_probs).tolist()
        values = [self._labels[index], *categories]
        pairs = zip(self._token_ids, values, known, strict=True)
        told = [(token_id, value) for token_id, value, is_known in pairs if is_known]
        told += [(0, 0.0)] * (len(values) - len(told))
        return {
            "img": self.image(index, categories),
            "condition_token_ids": torch.tensor([token_id for token_id, _ in told]),
            "condition_values": torch.tensor([value for _, value in told]),
        }

    def image(self, index: int, categories: list[int]) -> Tensor:
        """The digit under the given conditions."""
        image = self._images[index].unsqueeze(0).float() / 255
        for name, arguments, category in zip(self._names, self._arguments, categories, strict=True):
            image = transform(image, name, arguments[category])
        return image


def largest_difference(ours: Batches, peer: PerImage) -> float:
    """Of any pixel, the peer being told our draws; all of our conditions are known."""
    images = torch.cat([batch["img"] for batch in ours])
    drawn = torch.cat([batch["condition_values"] for batch in ours])[:, 1:].long().tolist()
    theirs = torch.stack([peer.image(index, categories) for index, categories in enumerate(drawn)])
    return float((images - theirs).abs().max())


def read(loader: Batches, passes: int) -> None:
    """Take all batches so often."""
    for _ in range(passes):
        for _batch in loader:
            pass


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    # The bundled sample, so that the figures mean the same everywhere.
    os.environ.pop("PCM_DATA_DIR", None)

    # Evaluation, whose order is fixed and whose conditions are all known, of the larger split.
    cfg = load_document(DATA_FILE).data | {"train": True}
    ours = ConditionalMNIST(cfg, cfg, arguments.batch_size, seed=0).test_dataloader()
    per_image = PerImage(cfg, load_digits(train=True, data_dir=None))
    peer = DataLoader(per_image, arguments.batch_size)
    difference = largest_difference(ours, per_image)
    # More passes of ours, which are too short to be timed alone.
    ways = {
        OURS: lambda: cost_of(lambda: read(ours, PASSES)),
        PEER: lambda: cost_of(lambda: read(peer, 1)),
    }
    rounds = Rounds(ways, arguments.rounds)
    images = len(per_image)
    ratio = rounds.ratio(PEER, OURS)
    print(f"medians of {arguments.rounds} rounds, batches of {arguments.batch_size}:")
    print(f"{OURS}: {PASSES * images / rounds.median(OURS).cpu:,.0f} images/s of CPU")
    print(f"{PEER}: {images / rounds.median(PEER).cpu:,.0f}")
    print(f"ratio: CPU {PASSES * ratio.cpu:.1f}, wall {PASSES * ratio.wall:.1f} (goal: {GOAL})")
    print(f"largest difference of a pixel: {difference:.1e} (allowed: {TOLERANCE:.0e})")
    if difference > TOLERANCE:
        raise SystemExit("the images differ")


if __name__ == "__main__":
    main()
