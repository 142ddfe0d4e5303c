"""A whole fit of the conditional VAE: pcm, the usual way, and a plain loop.

Everyone trains config/models/pcm-cvae.yaml, with 16 posterior samples of each image and
batches of 128, on the bundled digits under the conditions of config/data/mnist-train.yaml,
from reading the digits to the last step:

- the usual way: a Dataset that draws conditions and transforms one image at a time with
  torchvision, a DataLoader, and a LightningModule whose mixture likelihood is a loop over the
  batch with torch.distributions; two `log_dict` a step;
- a plain PyTorch loop over pcm's loader: the same model, everything vectorised, no logging;
- pcm: `python -m pcm RUN_DIR`, with journal and checkpoint.

Everyone does so in float32 and, where the CPU multiplies in it, in bfloat16, in one thread and
without a progress bar, in rounds of one fit each; ratios are the medians of the rounds. Goals:
2.2 times the usual way's speed in float32, and within 5 % of the plain loop.

    python -m benchmarks.fit [--epochs 3] [--rounds 3]
"""

import argparse
import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.pop("PCM_DATA_DIR", None)

import torch  # after the environment is set
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch import distributions as td
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.data_pipeline import transform
from benchmarks.pairs import Cost, Rounds, cost_of
from benchmarks.whole_run import run_whole, silence
from pcm.chain import Chain
from pcm.chain.mixture import mixture_log_prob
from pcm.config.document import load_document
from pcm.data import ConditionalMNIST
from pcm.data.digits import load_digits

CONFIG = Path(__file__).parents[1] / "config"
BATCH_SIZE, SAMPLES = 128, 16
DATA: dict[str, Any] = load_document(CONFIG / "data" / "mnist-train.yaml").data
HELD_OUT = DATA | {"train": False}  # not looked at here
KL_COEF = 2e-4
FLOAT32, BFLOAT16 = "32-true", "bf16-mixed"
USUAL, PLAIN = "usual way", "plain loop"
GOAL = 2.2
IMAGE = (1, 28, 28)


def model_cfg(epochs: int) -> dict[str, Any]:
    """The model file with our sizes."""
    cfg: dict[str, Any] = load_document(CONFIG / "models" / "pcm-cvae.yaml").data
    cfg["training"] |= {"batch_size": BATCH_SIZE, "max_epochs": epochs}
    forward = next(each for each in cfg["commands"] if each["command_name"] == "forward")
    for kwargs in (step["kwargs"] for step in forward["processing_steps"]):
        for name in {"n_latent_samples", "s"} & kwargs.keys():
            kwargs[name] = SAMPLES
    return cfg


MODEL = model_cfg(epochs=1)
CONDITIONS = {"cond_ids_name": "condition_token_ids", "cat_ids_name": "condition_values"}


class PerImage(Dataset[dict[str, Tensor]]):
    """The training digits; conditions are drawn and applied when one is asked for."""

    def __init__(self) -> None:
        digits = load_digits(train=True, data_dir=None)
        self._images, self._labels = digits.images, digits.labels

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        image = self._images[index].unsqueeze(0).float() / 255
        label = DATA["label_condition"]
        conditions = [(label["token_id"], int(self._labels[index]), label["known_prob"])]
        for entry in DATA["cond_trans_mgr"]:
            cfg = entry["cfg"]
            category = int(_distribution(cfg["distribution"]).sample().item())
            name = cfg["image_transform"]["name"]
            image = transform(image, name, cfg["categories_map"][category])
            conditions.append((cfg["token_id"], category, entry["known_prob"]))
        ids = torch.zeros(len(conditions), dtype=torch.int64)
        values = torch.zeros(len(conditions))
        known = [each for each in conditions if torch.rand(()) < each[2]]
        for place, (token_id, value, _) in enumerate(known):
            ids[place], values[place] = token_id, value
        return {"img": image, "condition_token_ids": ids, "condition_values": values}


def _distribution(cfg: dict[str, Any]) -> td.Distribution:
    kwargs = cfg["kwargs"]
    if cfg["name"] == "binomial":
        return td.Binomial(kwargs["total_count"], torch.tensor(kwargs["probs"]))
    return td.Categorical(torch.tensor(kwargs["probs"]))


class Parts(nn.Module):
    """The modules of the model, run by hand; the mixture's likelihood is the caller's."""

    def __init__(self) -> None:
        super().__init__()
        links: Any = Chain(MODEL).chain
        self.encoder: nn.Module = links["encoder"].layers
        self.decoder: nn.Module = links["decoder"].layers
        self.embedding: nn.Module = links["condition_embedding"]
        self.to_logits: nn.Module = links["condition_to_logits"].layers
        self.to_decoder: nn.Module = links["condition_to_decoder"].layers
        self.means: nn.Parameter = links["prior"].component_means
        self.std: float = links["prior"]._std

    def forward(
        self, batch: dict[str, Tensor], nll: Callable[[Tensor, Tensor, Tensor, float], Tensor]
    ) -> Tensor:
        """The loss of a batch, coefficients at their full scale."""
        mean, raw_std = self.encoder(batch["img"].flatten(1)).chunk(2, dim=1)
        std = functional.softplus(raw_std) + 1e-8
        noise = torch.randn(len(mean), SAMPLES, mean.shape[1])
        latent = mean.unsqueeze(1) + std.unsqueeze(1) * noise
        entropy = td.Normal(mean, std).entropy().sum(1, keepdim=True)
        embedded, _ = self.embedding(dict(batch), cond_embed_name="c", **CONDITIONS)
        logits, told = self.to_logits(embedded["c"]), self.to_decoder(embedded["c"])
        prior_nll = nll(latent, logits, self.means, self.std)
        told = told.unsqueeze(1).expand(-1, SAMPLES, -1)
        pixels = self.decoder(torch.cat((latent, told), dim=2)).sigmoid().unflatten(2, IMAGE)
        error = (pixels - batch["img"].unsqueeze(1)).square().mean((2, 3, 4))
        loss: Tensor = (error + KL_COEF * (prior_nll - entropy)).mean()
        return loss

    def optimizers(self, **changes: Any) -> list[torch.optim.Optimizer]:
        """As in the model file, without its schedules."""
        groups = [
            [self.encoder, self.decoder],
            [self.embedding, self.to_logits, self.to_decoder],
        ]
        parameters = [[p for each in group for p in each.parameters()] for group in groups]
        kwargs = [cfg["kwargs"] | changes for cfg in MODEL["optimizers"]]
        return [
            torch.optim.Adam(group, **each)
            for group, each in zip([*parameters, [self.means]], kwargs, strict=True)
        ]


def looped_nll(latent: Tensor, logits: Tensor, means: Tensor, std: float) -> Tensor:
    """One mixture after the other."""
    components = td.Independent(td.Normal(means, torch.full_like(means, std)), 1)
    likelihoods = [
        td.MixtureSameFamily(td.Categorical(logits=one), components).log_prob(z)
        for z, one in zip(latent, logits, strict=True)
    ]
    return -torch.stack(likelihoods)


def batched_nll(latent: Tensor, logits: Tensor, means: Tensor, std: float) -> Tensor:
    """All at once."""
    return -mixture_log_prob(latent, logits.unsqueeze(1), means, std)


class Usual(LightningModule):
    """The usual LightningModule."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.parts = Parts()

    def configure_optimizers(self) -> Any:
        """The model's own, as torch has them by default."""
        return self.parts.optimizers(fused=None)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """One backward pass, a step of each optimizer."""
        del batch_idx
        loss = self.parts(batch, looped_nll)
        self.log_dict({"loss": loss}, prog_bar=True, on_step=True, on_epoch=True)
        self.log_dict({"coef": KL_COEF}, on_step=False, on_epoch=True)
        optimizers: Any = self.optimizers()
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(loss)
        for optimizer in optimizers:
            optimizer.step()


def usual(epochs: int, precision: Any) -> None:
    """Per-image transforms and a loop over the batch, under Lightning."""
    loader = DataLoader(PerImage(), BATCH_SIZE, shuffle=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            precision=precision,
            default_root_dir=folder,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Usual(), loader)


def plain(epochs: int, precision: str) -> None:
    """A plain loop over pcm's loader."""
    data = ConditionalMNIST(DATA, HELD_OUT, BATCH_SIZE, seed=0)
    loader, parts = data.train_dataloader(), Parts()
    optimizers = parts.optimizers()
    for epoch in range(epochs):
        loader.set_position(epoch, 0)
        for batch in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == BFLOAT16):
                loss = parts(batch, batched_nll)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()


def pcm(epochs: int, precision: str) -> None:
    """A whole run of pcm, in this process."""
    kwargs = {"precision": precision, "limit_val_batches": 0}
    run_whole(model_cfg(epochs), DATA, HELD_OUT, kwargs)


def cost_of_fit(way: Callable[[int, str], None], epochs: int, precision: str) -> Cost:
    """Of a fit, of which nothing is shown."""
    with silence():
        return cost_of(lambda: way(epochs, precision))


def compare(precision: str, epochs: int, count: int) -> None:
    """Measure the three ways in a precision, and print."""
    ways = {USUAL: usual, PLAIN: plain, "pcm": pcm}
    fits = {name: partial(cost_of_fit, way, epochs, precision) for name, way in ways.items()}
    rounds = Rounds(fits, count)
    print(f"{precision}, {epochs} epochs, medians of {count} rounds, as multiples of pcm's")
    for name in ways:
        print(f"  {name:12}{rounds.line(name, 'pcm')}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    cost_of_fit(pcm, 1, FLOAT32)  # imports, caches
    compare(FLOAT32, options.epochs, options.rounds)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        compare(BFLOAT16, options.epochs, options.rounds)
    else:
        print(f"{BFLOAT16}: this CPU doesn't multiply in it")
    print(f"goals: the {USUAL} {GOAL} x pcm's in float32, the {PLAIN} at least 0.95 x")


if __name__ == "__main__":
    main()
