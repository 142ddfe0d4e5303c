"""Conditional MNIST: finished batches against torchvision on single images in a DataLoader.

The peer is the usual way: a Dataset whose `__getitem__` takes one image through
torchvision's functions, under a torch DataLoader. It is handed its conditions ready drawn;
ours draws them within the measured time. Both work on the same digits under the same
conditions, in one thread, and every pixel is compared. Time is the process's own, so that
a busy machine doesn't decide. Goal: 40 times the peer's images/s.

    python benchmarks/data_pipeline.py [--batch-size 256]
"""

import argparse
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import functional

from pcm.config.document import load_document
from pcm.data import ConditionalMNIST
from pcm.data.digits import load_digits

DATA_FILE = Path(__file__).parents[1] / "config" / "data" / "mnist-test.yaml"
GOAL = 40
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
    """The test digits, each transformed when it is asked for."""

    def __init__(self, cfg: dict[str, Any], images: Tensor, batches: Batches) -> None:
        """`batches` tell the conditions that were drawn, all of them known."""
        self._images = images
        self._token_ids = torch.cat([batch["condition_token_ids"] for batch in batches])
        self._values = torch.cat([batch["condition_values"] for batch in batches])
        self._transforms = [
            (entry["cfg"]["image_transform"]["name"], entry["cfg"]["categories_map"])
            for entry in cfg["cond_trans_mgr"]
        ]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        image = self._images[index].unsqueeze(0).float() / 255
        categories = self._values[index, 1:].long().tolist()
        for (name, arguments), category in zip(self._transforms, categories, strict=True):
            image = transform(image, name, arguments[category])
        return {
            "img": image,
            "condition_token_ids": self._token_ids[index],
            "condition_values": self._values[index],
        }


def largest_difference(ours: Batches, peer: Batches) -> float:
    """Of any pixel of any image."""
    pairs = zip(ours, peer, strict=True)
    return max(float((mine["img"] - other["img"]).abs().max()) for mine, other in pairs)


def images_per_second(loader: Batches, passes: int) -> float:
    """Of some passes, in seconds of processor time."""
    start = time.process_time()
    images = sum(len(batch["img"]) for _ in range(passes) for batch in loader)
    return images / (time.process_time() - start)


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
    batches: list[dict[str, Tensor]] = list(ours)
    images = load_digits(train=True, data_dir=None).images
    peer = DataLoader(PerImage(cfg, images, batches), arguments.batch_size)
    difference = largest_difference(batches, peer)
    # Alternately, and the best round of each: others share the caches.
    rounds = [
        (images_per_second(ours, passes=5), images_per_second(peer, passes=1))
        for _ in range(arguments.rounds)
    ]
    mine, other = map(max, zip(*rounds, strict=True))
    print(f"pcm.data, batches of {arguments.batch_size}: {mine:,.0f} images/s")
    print(f"torchvision per image in a DataLoader: {other:,.0f} images/s")
    print(f"ratio: {mine / other:.1f} (goal: {GOAL})")
    print(f"largest difference of a pixel: {difference:.1e} (allowed: {TOLERANCE:.0e})")
    if difference > TOLERANCE:
        raise SystemExit("the images differ")


if __name__ == "__main__":
    main()
