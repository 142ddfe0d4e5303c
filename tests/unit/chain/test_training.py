"""Chains under Lightning: against a plain loop, through checkpoints, with two ranks."""

import copy
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from torch.multiprocessing.spawn import start_processes

from pcm.chain import Chain
from tests.unit.chain.batches import Batches


class Recorder(Logger):
    """Keeps what is logged."""

    name = "recorder"
    version = 0

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int | None, dict[str, float]]] = []

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self.rows.append((step, dict(metrics)))

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Not of interest."""

    def series(self, name: str) -> list[tuple[int | None, float]]:
        return [(step, row[name]) for step, row in self.rows if name in row]


def new_trainer(epochs: int, logger: Any = False, **changes: Any) -> Trainer:
    settings: dict[str, Any] = {
        "max_epochs": epochs,
        "accelerator": "cpu",
        "logger": logger,
        "log_every_n_steps": 2,
        "num_sanity_val_steps": 0,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return Trainer(**settings | changes)


def new_chain(cfg: dict[str, Any]) -> Chain:
    torch.manual_seed(0)
    return Chain(cfg)


def plain_losses(chain: Chain, epochs: int, data: Batches) -> list[float]:
    """The tiny model's training, written out without Lightning."""
    encoder_decoder = [*chain.chain["encoder"].parameters(), *chain.chain["decoder"].parameters()]
    adam = torch.optim.Adam(encoder_decoder, lr=1e-2)
    sgd = torch.optim.SGD(chain.chain["prior"].parameters(), lr=1e-1, momentum=0.9)
    losses, batches = [], 0
    for epoch in range(epochs):
        scale = min((epoch + 1) / 2, 1.0)
        sgd.param_groups[0]["lr"] = 1e-1 * 0.5 ** min(epoch, 3)
        for index, batch in enumerate(data):
            warm_up = min(epoch * (len(data) // 2) + index // 2, 4) / 4
            adam.param_groups[0]["lr"] = 1e-2 * (0.5 + 0.5 * warm_up)
            _, parts = chain(batch)
            total = (
                scale * 0.01 * parts["postr_neg_entr-posterior"]["data"]
                + 0.01 * parts["prior_nll-prior"]["data"]
                + parts["reconstr-reconstruction_loss"]["data"]
            ).mean()
            adam.zero_grad()
            sgd.zero_grad()
            total.backward()
            adam.step()
            sgd.step()
            losses.append(total.item())
            batches += 1
    return losses


def test_training_equals_a_plain_loop(tiny_cfg: dict[str, Any]) -> None:
    data, epochs = Batches([8, 8, 8, 8, 5]), 3
    ours, theirs = new_chain(tiny_cfg), new_chain(tiny_cfg)
    logger = Recorder()
    torch.manual_seed(1)
    trainer = new_trainer(epochs, logger, log_every_n_steps=1)
    trainer.fit(ours, data)
    torch.manual_seed(1)
    losses = plain_losses(theirs, epochs, data)
    logged = [value for _, value in logger.series("train/loss")]
    assert logged == pytest.approx(losses, rel=1e-6)
    for (name, left), right in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left, right, msg=name)
    assert ours.batches_trained == 15
    assert trainer.global_step == 30  # Lightning counts the steps of every optimizer.


def test_training_learns(tiny_cfg: dict[str, Any]) -> None:
    logger = Recorder()
    new_trainer(12, logger).fit(new_chain(tiny_cfg), Batches([8] * 6))
    losses = [value for _, value in logger.series("train/loss_epoch")]
    assert losses[-1] < 0.5 * losses[0]


def test_what_is_logged_when(tiny_cfg: dict[str, Any]) -> None:
    logger = Recorder()
    data = Batches([8, 8, 8, 8, 4])
    new_trainer(2, logger).fit(new_chain(tiny_cfg), data, Batches([6, 2], seed=9))
    assert [step for step, _ in logger.series("train/loss")] == [2, 4, 5, 6, 8, 10]
    assert [step for step, _ in logger.series("train/loss_epoch")] == [5, 10]
    assert [step for step, _ in logger.series("val/elbo")] == [5, 10]
    assert [step for step, _ in logger.series("val/active_units")] == [5, 10]
    coefs = logger.series("train/postr_neg_entr-posterior_loss_coef")
    assert dict(coefs) == pytest.approx({2: 0.005, 4: 0.005, 5: 0.005, 6: 0.01, 8: 0.01, 10: 0.01})
    assert [row["epoch"] for _, row in logger.rows] == sorted(
        row["epoch"] for _, row in logger.rows
    )


def test_an_epochs_mean_weighs_items_equally(tiny_cfg: dict[str, Any]) -> None:
    logger = Recorder()
    new_trainer(1, logger, log_every_n_steps=1).fit(new_chain(tiny_cfg), Batches([8, 8, 3]))
    each = [value for _, value in logger.series("train/loss")]
    ((_, mean),) = logger.series("train/loss_epoch")
    assert mean == pytest.approx((8 * each[0] + 8 * each[1] + 3 * each[2]) / 19, rel=1e-6)


def test_the_last_values_are_there_for_callbacks(tiny_cfg: dict[str, Any]) -> None:
    trainer = new_trainer(1)
    trainer.fit(new_chain(tiny_cfg), Batches([8]), Batches([8]))
    assert {"train/loss", "train/loss_epoch", "val/loss", "val/mse", "val/elbo"} <= set(
        trainer.callback_metrics
    )


def test_a_checkpoint_holds_what_lightning_does_not(
    tiny_cfg: dict[str, Any], tmp_path: Path
) -> None:
    trainer = new_trainer(1)
    trainer.fit(new_chain(tiny_cfg), Batches([8, 8]))
    path = tmp_path / "with space é.ckpt"
    trainer.save_checkpoint(path)
    loaded = Chain.load_from_checkpoint(path)
    assert loaded.batches_trained == 2
    assert loaded.loss_manager.state_dict() == {"epochs_started": 1}
    assert loaded.hparams["cfg"] == tiny_cfg


def test_a_resumed_training_goes_on_as_if_never_stopped(
    tiny_cfg: dict[str, Any], tmp_path: Path
) -> None:
    data = Batches([8, 8, 8])
    whole = new_chain(tiny_cfg)
    whole_log = Recorder()
    torch.manual_seed(1)
    new_trainer(4, whole_log).fit(whole, data)

    first, half = new_trainer(2), new_chain(tiny_cfg)
    torch.manual_seed(1)
    first.fit(half, data)
    generator = torch.get_rng_state()
    first.save_checkpoint(tmp_path / "half.ckpt")
    second, second_log = Chain(tiny_cfg), Recorder()
    torch.set_rng_state(generator)
    new_trainer(4, second_log).fit(second, data, ckpt_path=tmp_path / "half.ckpt")

    assert second.batches_trained == 12
    assert second_log.rows == [row for row in whole_log.rows if (row[0] or 0) > 6]
    for left, right in zip(second.parameters(), whole.parameters(), strict=True):
        assert torch.equal(left, right)


def test_rank_state_carries_the_running_epoch_exactly(tiny_cfg: dict[str, Any]) -> None:
    images = Batches([8, 8]).batches
    one, other = new_chain(tiny_cfg), new_chain(tiny_cfg)
    _, losses = one(images[0])
    report = one.loss_manager(losses)
    one._recent.add({"loss": report.total.detach(), **report.parts}, weight=8)
    one._epoch.absorb(one._recent)
    other.load_rank_state(copy.deepcopy(one.rank_state()))
    assert other.rank_state() == one.rank_state()
    assert other._recent.means(lambda sums: sums) == one._recent.means(lambda sums: sums)


def test_bfloat16(tiny_cfg: dict[str, Any]) -> None:
    logger = Recorder()
    trainer = new_trainer(4, logger, precision="bf16-mixed")
    trainer.fit(new_chain(tiny_cfg), Batches([8] * 6), Batches([8]))
    losses = [value for _, value in logger.series("train/loss_epoch")]
    assert losses[-1] < losses[0]
    assert "val/elbo" in trainer.callback_metrics


def test_callbacks_monitor_what_a_chain_logs(tiny_cfg: dict[str, Any], tmp_path: Path) -> None:
    stopping = EarlyStopping("val/elbo", mode="min", patience=1)
    best = ModelCheckpoint(tmp_path, monitor="val/elbo", mode="max", filename="{epoch}")
    trainer = new_trainer(9, Recorder(), callbacks=[stopping, best], enable_checkpointing=True)
    trainer.fit(new_chain(tiny_cfg), Batches([8] * 6), Batches([8]))
    # The ELBO rises, so one that should fall ends training.
    assert stopping.stopped_epoch == 1
    assert best.best_model_score == trainer.callback_metrics["val/elbo"]
    assert trainer.logged_metrics["val/elbo"] == trainer.callback_metrics["val/elbo"]


def test_two_ranks_with_uneven_validation(tiny_cfg: dict[str, Any], tmp_path: Path) -> None:
    """Metrics over two ranks, of which one has two validation batches, the other one."""
    store = tmp_path / "rendezvous"
    # Forked from a process that has imported Lightning already.
    multiprocessing.get_context("forkserver").set_forkserver_preload(["lightning.pytorch"])
    start_processes(
        _two_ranks, args=(tiny_cfg, store, tmp_path), nprocs=2, start_method="forkserver"
    )
    ranks = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert ranks[0] == ranks[1]
    alone, recorded = new_chain(tiny_cfg), Recorder()
    alone.load_state_dict(torch.load(tmp_path / "weights.pt"))
    trainer = new_trainer(1, recorded, limit_train_batches=0)
    trainer.validate(alone, Batches([5, 3, 4], seed=9), verbose=False)
    ours = {name: float(value) for name, value in trainer.callback_metrics.items()}
    # What the posterior's samples enter differs by chance, the rest is equal.
    for name in ("val/active_units", "val/postr_neg_entr-posterior"):
        assert ranks[0][name] == pytest.approx(ours[name], rel=1e-6)
    assert ranks[0]["val/mse"] == pytest.approx(ours["val/mse"], rel=0.2)


def _two_ranks(rank: int, cfg: dict[str, Any], store: Path, folder: Path) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=store.as_uri(), rank=rank, world_size=2
    )
    environment = _environment(rank)
    chain = new_chain(cfg)
    validation = Batches([5, 3, 4], seed=9)
    validation.batches = validation.batches[2 * rank : 2 * rank + 2]
    trainer = new_trainer(
        1,
        Recorder(),
        strategy="ddp",
        devices=2,
        plugins=[environment],
        use_distributed_sampler=False,
    )
    trainer.fit(chain, Batches([8, 8], seed=rank), validation)
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    torch.save(metrics, folder / f"{rank}.pt")
    if rank == 0:
        torch.save(chain.state_dict(), folder / "weights.pt")
    torch.distributed.destroy_process_group()


def _environment(rank: int) -> Any:
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment

    class TwoRanks(LightningEnvironment):
        """Ranks that the test has started itself."""

        @property
        def creates_processes_externally(self) -> bool:
            return True

        def world_size(self) -> int:
            return 2

        def set_world_size(self, size: int) -> None:
            pass

        def global_rank(self) -> int:
            return rank

        def set_global_rank(self, rank: int) -> None:
            pass

        def local_rank(self) -> int:
            return rank

        def node_rank(self) -> int:
            return 0

    return TwoRanks()
