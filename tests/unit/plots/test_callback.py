import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.loggers import Logger
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from pcm.chain import Chain
from pcm.config.document import load_document
from pcm.config.structure import validate_config_structure
from pcm.config.structures.trainer import TRAINER
from pcm.plots import NeptunePlot, build_callback
from pcm.plots.top_nodes import build_top_node

CONFIG = Path(__file__).parents[3] / "config"


class Figures(Logger):
    """Keeps the names and steps of figures."""

    name = "figures"
    version = "0"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        pass

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def log_figure(self, name: str, figure: Figure, step: int) -> None:
        assert figure.axes
        assert f"step {step}" in figure.get_suptitle()
        self.seen.append((name, step))


class Model(LightningModule):
    """Trains with dropout, and has a command that draws from every generator."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.BatchNorm1d(8))
        self.head = nn.Linear(8, 1)
        self.commands: list[tuple[str, Any, bool]] = []

    def run_command(
        self, name: str, batch: dict[str, Tensor], dynamic_kwargs: Any = None
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        self.commands.append((name, dynamic_kwargs, self.net.training))
        noise = torch.rand(1) + random.random() + float(np.random.rand())
        return {**batch, "latent": self.net(batch["x"]) + noise}, {}

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        loss: Tensor = self.head(self.net(batch[0])).square().mean()
        return loss

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        self.net(batch["x"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.1)


def cfg(name: str = "scatter", command: str = "encode", **node: Any) -> dict[str, Any]:
    function = {
        "name": "colored_scatterplot",
        "kwargs": {},
        "data_args_names": ["latent", "label"],
        "filename_comp": name,
    }
    return {
        "neptune_plot_log_path": "val/latent",
        "command": {"name": command, "dynamic_kwargs": {"net": {"a": 1}}},
        "plt_tree_top_node": {
            "top_node_name": "nproc_batch",
            "top_node_cfg": {
                "n_batches": 2,
                "plt_tree_cfg": [
                    {
                        "node_name": "plt_fn_node_list",
                        "node_cfg": {"plt_fn_node_list": [{**function, **node}]},
                    }
                ],
            },
        },
    }


def fit(callbacks: list[NeptunePlot], **kwargs: Any) -> tuple[Model, Figures]:
    """Two epochs of three batches, from the same start."""
    seed_everything(0, verbose=False)
    model, figures = Model(), Figures()
    inputs = torch.rand(24, 4)
    items = [{"x": row, "label": torch.tensor(index % 3)} for index, row in enumerate(inputs)]
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=figures,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **kwargs,
    )
    trainer.fit(
        model,
        DataLoader(TensorDataset(inputs), batch_size=8, shuffle=True),
        DataLoader(items, batch_size=8),  # type: ignore[arg-type]  # a list is a data set
    )
    return model, figures


def generators() -> list[str]:
    return [
        str(torch.get_rng_state().tolist()),
        str(random.getstate()),
        str(np.random.get_state(legacy=True)),
    ]


def test_after_each_validation_a_figure_at_the_step() -> None:
    model, figures = fit([build_callback(cfg())])
    assert figures.seen == [("val/latent/scatter", 3), ("val/latent/scatter", 6)]
    # Two batches each time, in evaluation mode, none in the sanity check.
    assert model.commands == [("encode", {"net": {"a": 1}}, False)] * 4


def test_training_is_the_same_with_and_without_plots() -> None:
    plain, _ = fit([])
    state_without = generators()
    plotted, figures = fit([build_callback(cfg()), build_callback(cfg())])
    assert len(figures.seen) == 4
    assert generators() == state_without
    expected = plain.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in plotted.state_dict().items())


def test_modes_are_left_as_they_were() -> None:
    model = Model()
    model.net[1].eval()
    trainer = Trainer(accelerator="cpu", logger=Figures(), enable_checkpointing=False)
    callback = build_callback(cfg())
    callback._batches = [{"x": torch.rand(8, 4), "label": torch.arange(8)}]
    callback.on_validation_end(trainer, model)
    assert [module.training for module in model.net] == [True, False, True]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (cfg(data_args_names=["latent", "nothing"]), "no 'nothing', but label, latent, x"),
        (cfg(kwargs={"size": 3}), "unexpected keyword argument 'size'"),
    ],
)
def test_a_plot_that_fails_is_a_warning(broken: dict[str, Any], message: str) -> None:
    with pytest.warns(UserWarning, match=message):
        model, figures = fit([build_callback(broken)])
    assert figures.seen == []
    assert model.trainer.current_epoch == 2


def test_a_command_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        torch.rand(1)
        raise RuntimeError("no such command")

    state_without = (fit([]), generators())[1]
    monkeypatch.setattr(Model, "run_command", fail)
    with pytest.warns(UserWarning, match="the command encode: RuntimeError: no such command"):
        model, _ = fit([build_callback(cfg())])
    assert model.trainer.current_epoch == 2
    assert generators() == state_without


def test_batches_without_names_are_a_warning() -> None:
    trainer = Trainer(accelerator="cpu", logger=Figures(), enable_checkpointing=False)
    callback = build_callback(cfg())
    with pytest.warns(UserWarning, match="no plot from the validation's batch 0"):
        callback.on_validation_batch_end(trainer, Model(), None, [torch.rand(8, 4)], 0)
    callback.on_validation_end(trainer, Model())


def test_a_logger_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Figures, "log_figure", fail)
    with pytest.warns(UserWarning, match="val/latent/scatter: OSError: No space left"):
        model, _ = fit([build_callback(cfg())])
    assert model.trainer.current_epoch == 2


def test_the_plots_of_the_repository_fit_its_model(recwarn: pytest.WarningsRecorder) -> None:
    trainer_cfg = load_document(CONFIG / "trainer" / "plots.yaml").data
    validate_config_structure(trainer_cfg, TRAINER)
    chain = Chain(load_document(CONFIG / "models" / "pcm-cvae.yaml").data).eval()
    batch = {
        "img": torch.rand(16, 1, 28, 28),
        "condition_token_ids": torch.tensor([1, 2, 3, 4, 5]).repeat(16, 1),
        "condition_values": torch.randint(0, 3, (16, 5)).float(),
    }
    drawn = {}
    for callback in trainer_cfg["callbacks"]:
        if callback["name"] == "neptune_plot":
            command, top_cfg = callback["cfg"]["command"], callback["cfg"]["plt_tree_top_node"]
            top = build_top_node(top_cfg["top_node_name"], top_cfg["top_node_cfg"], "tree")
            with torch.no_grad():
                result = chain.run_command(command["name"], batch, command["dynamic_kwargs"])[0]
            names = [name for name, _ in top.figures(result)]
            drawn[callback["cfg"]["neptune_plot_log_path"]] = names
    assert drawn == {
        "val/latent": [
            "pairs",
            "latent_pca_explained_variance",
            "latent_pca_components",
            "latent_pca_scatter",
            "latent_pca_pairs",
        ],
        "val/reconstruction": ["images"],
        "val/prior": ["samples"],
    }
    assert [str(w.message) for w in recwarn if "no plot from" in str(w.message)] == []
