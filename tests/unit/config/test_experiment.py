"""How the sections of an experiment fit together."""

from typing import Any

import pytest

from pcm.config.check import EXPERIMENT, check_experiment, section_faults
from pcm.config.document import Document, parse_document
from pcm.config.override import resolve, with_value
from pcm.config.structure import Inspector
from pcm.errors import Fault
from tests.unit.config import samples
from tests.unit.config.samples import check_model, file_faults

OWN: dict[str, Any] = {"class_path": "my_pkg.models.Mine", "init_args": {"width": 3}}
ALL_OWN = {"model": OWN, "data_train": OWN, "data_val": None}


def fault_of(config: Any) -> Fault:
    (fault,) = check_experiment(config)
    return fault


def changed(path: str, value: Any, **sections: Any) -> dict[str, Any]:
    config = samples.experiment(**sections)
    result: dict[str, Any] = with_value(config, resolve(config, path), value)
    return result


def test_a_whole_experiment() -> None:
    assert check_experiment(samples.experiment()) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        ("seed", True),
        ("subsample_size", 0),
        ("world_size", 0),
        ("schema_version", "1"),
        ("model", None),
        ("data_train", []),
        ("trainer", "default.yaml"),
    ],
)
def test_top_level_entries(key: str, value: Any) -> None:
    assert fault_of(samples.experiment(**{key: value})).key == key


def test_keys_are_paths_from_the_top() -> None:
    fault = fault_of(changed("model.chain.encoder.cfg.output_dim", "8"))
    assert fault.key == "model.chain.encoder.cfg.output_dim"


@pytest.mark.parametrize("section", ["model", "data_train"])
def test_a_class_of_the_users_own(section: str) -> None:
    config = samples.experiment(**{section: OWN}) | {"data_train": OWN, "data_val": None}
    assert check_experiment(config) == []


def test_init_args_may_be_absent() -> None:
    assert check_model({"class_path": "a.B"}) == []


@pytest.mark.parametrize("path", ["Mine", "my-pkg.Mine", "a..B", "a.B:C", "", "a.B "])
def test_what_is_no_class_path(path: str) -> None:
    (fault,) = check_model({"class_path": path, "init_args": {}})
    assert (fault.key, fault.problem) == ("class_path", "not a class path")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("my_model.py:Mine", "write my_model.Mine"),
        ("my_model:Mine", "write my_model.Mine"),
        ("./src/my_model.py::Mine", "write src.my_model.Mine"),
        ("Mine", "as in my_model.Mine for my_model.py"),
        ("my-model.py:Mine", ""),
    ],
)
def test_another_way_to_name_a_class(path: str, hint: str) -> None:
    (fault,) = check_model({"class_path": path, "init_args": {}})
    assert hint in (fault.hint or "")


@pytest.mark.parametrize("section", ["model", "data_train"])
def test_a_misspelt_class_path_is_no_chain(section: str) -> None:
    config = samples.experiment(**ALL_OWN) | {section: {"classpath": "a.B", "init_args": {"c": 1}}}
    *missing, misspelt = check_experiment(config)
    assert [each.problem for each in missing] in ([], ["missing key 'class_path'"])
    assert (misspelt.key, misspelt.hint) == (f"{section}.classpath", "did you mean 'class_path'?")


@pytest.mark.parametrize(
    ("nested", "key", "problem"),
    [
        ({"class_path": "Adam"}, "class_path", "not a class path"),
        ({"class_path": "a.B", "init_arg": {}}, "init_arg", "unknown key 'init_arg'"),
        ({"class_path": "a.B", "partial": "yes"}, "partial", "wrong type"),
    ],
)
def test_objects_among_the_arguments(nested: dict[str, Any], key: str, problem: str) -> None:
    whole = {"class_path": "a.B", "init_args": {"c": [{"class_path": "a.D", "partial": True}]}}
    assert check_model(whole) == []
    (fault,) = check_model({"class_path": "a.B", "init_args": {"c": [{"deep": nested}]}})
    assert (fault.key, fault.problem) == (f"init_args.c.0.deep.{key}", problem)


ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.1}}
TORCHS_PLATEAU = {"class_path": "torch.optim.lr_scheduler.ReduceLROnPlateau"}
PLATEAU = {"class_path": "lightning.pytorch.cli.ReduceLROnPlateau"}
MONITORED = PLATEAU | {"init_args": {"monitor": "val/loss"}}


@pytest.mark.parametrize(
    ("beside", "key"),
    [
        ({"optimizer": {"class_path": "Adam"}}, "optimizer.class_path"),
        ({"optimizer": {"lr": 0.1}}, "optimizer.class_path"),
        ({"optimizer": ADAM | {"partial": True}}, "optimizer.partial"),
        ({"lr_scheduler": MONITORED}, "lr_scheduler"),
        ({"optimizer": ADAM, "lr_scheduler": PLATEAU}, "lr_scheduler"),
        ({"optimizer": ADAM, "lr_scheduler": TORCHS_PLATEAU}, "lr_scheduler.class_path"),
    ],
)
def test_an_optimizer_beside_a_class(beside: dict[str, Any], key: str) -> None:
    good = {"optimizer": ADAM, "lr_scheduler": MONITORED}
    assert check_model({"class_path": "a.B", **good}) == []
    assert key in [fault.key for fault in check_model({"class_path": "a.B", **beside})]


def test_data_have_no_optimizer() -> None:
    config = samples.experiment(**ALL_OWN) | {"data_train": OWN | {"optimizer": ADAM}}
    assert fault_of(config).key == "data_train.optimizer"


def test_unknown_keys_beside_a_class_path() -> None:
    (fault,) = check_model({"class_path": "a.B", "init_arg": {}})
    assert fault.hint == "did you mean 'init_args'?"


def test_a_data_module_of_the_users_own_serves_both() -> None:
    assert fault_of(samples.experiment(data_train=OWN)).problem == "a second data module"


def test_the_mnist_data_need_both() -> None:
    assert fault_of(samples.experiment(data_val=None)).problem == "no data to validate on"
    config = samples.experiment()
    del config["data_val"]
    assert fault_of(config).key == "data_val"


def test_a_model_of_the_users_own_may_have_its_epochs_in_the_trainer() -> None:
    trainer = samples.trainer(("{log_every_n_steps: 10}", "{max_epochs: 3}")).data
    assert check_experiment(samples.experiment(**ALL_OWN, trainer=trainer)) == []
    fault = fault_of(samples.experiment(trainer=trainer))
    assert fault.key == "trainer.kwargs.max_epochs"
    assert fault.expected == "model.training.max_epochs"


@pytest.mark.parametrize(
    ("kwargs", "key"),
    [("gradient_clip_val: 0.5", "gradient_clip_val"), ("accumulate_grad_batches: 2", "accumulate")],
)
def test_what_lightning_cannot_do_for_a_chain(kwargs: str, key: str) -> None:
    trainer = samples.trainer(("log_every_n_steps: 10", kwargs)).data
    assert (fault_of(samples.experiment(trainer=trainer)).key or "").startswith(
        f"trainer.kwargs.{key}"
    )
    assert check_experiment(samples.experiment(**ALL_OWN, trainer=trainer)) == []


def test_harmless_values_of_the_same_kwargs() -> None:
    kwargs = "gradient_clip_val: null, accumulate_grad_batches: 1"
    trainer = samples.trainer(("log_every_n_steps: 10", kwargs)).data
    assert check_experiment(samples.experiment(trainer=trainer)) == []


PLOT_COMMAND = "trainer.callbacks.neptune_plot.cfg.command"


def test_a_plot_needs_a_command_of_the_model() -> None:
    fault = fault_of(changed(f"{PLOT_COMMAND}.name", "encod"))
    assert (fault.key, fault.problem) == (f"{PLOT_COMMAND}.name", "unknown command")
    assert fault.hint == "did you mean 'encode'?"


def test_dynamic_kwargs_are_for_links_of_the_command() -> None:
    fault = fault_of(changed(f"{PLOT_COMMAND}.dynamic_kwargs.encoder", {}))
    assert fault.problem == "unknown link of the command 'encode'"
    assert fault.key == f"{PLOT_COMMAND}.dynamic_kwargs.encoder"


@pytest.mark.parametrize("nothing", [{}, None])
def test_dynamic_kwargs_complete_what_the_command_lacks(nothing: Any) -> None:
    fault = fault_of(changed(f"{PLOT_COMMAND}.dynamic_kwargs", nothing))
    assert fault.problem == "missing key 'n_latent_samples' for posterior.forward"


def test_dynamic_kwargs_fit_the_method() -> None:
    kwargs = {"n_latent_samples": "1", "n_samples": 1}
    faults = check_experiment(changed(f"{PLOT_COMMAND}.dynamic_kwargs.posterior", kwargs))
    assert [fault.problem for fault in faults] == [
        "wrong type for posterior.forward",
        "unknown key 'n_samples' for posterior.forward",
    ]


EMBEDDING = """\
- name: embed
  chain_link_spec_path: condition_embedding/condition_set_embedding_transformer
  cfg:
    embedding_dim: 8
    transformer:
      encoder_kwargs: {num_layers: 1}
      encoder_layer_kwargs: {nhead: 2}
    embedding_module: {n_conditions: 3, n_categories_per_condition: [10, 2, 1]}
"""
EMBED_STEP = {
    "link": "embed",
    "method": "forward",
    "kwargs": {
        "cond_ids_name": "condition_token_ids",
        "cat_ids_name": "condition_values",
        "cond_embed_name": "embedded",
    },
}


def embedding_model(old: str = "embed", new: str = "embed") -> dict[str, Any]:
    model: dict[str, Any] = samples.model(("links: [encoder]", "links: [encoder, embed]")).data
    model["chain"] += parse_document(samples.changed(EMBEDDING, (old, new)), "x").data
    model["commands"][0]["processing_steps"].append(EMBED_STEP)
    return model


def test_a_model_with_room_for_the_conditions_of_the_data() -> None:
    assert check_experiment(samples.experiment(model=embedding_model())) == []


def test_a_condition_that_the_model_has_no_row_for() -> None:
    data = samples.data(("token_id: 3", "token_id: 4")).data
    fault = fault_of(samples.experiment(model=embedding_model(), data_val=data))
    assert fault.key == "data_val.cond_trans_mgr.1.cfg.token_id"
    assert fault.problem == "the link 'embed' has no condition 4"
    assert (fault.found, fault.expected) == ("4", "at most 3")


@pytest.mark.parametrize(
    ("sizes", "key", "found"),
    [
        ("[9, 2, 1]", "label_condition.token_id", "10 categories"),
        ("[10, 1, 1]", "cond_trans_mgr.0.cfg.token_id", "2 categories"),
    ],
)
def test_more_categories_than_the_model_has_rows_for(sizes: str, key: str, found: str) -> None:
    model = embedding_model("[10, 2, 1]", sizes)
    faults = check_experiment(samples.experiment(model=model))
    assert [fault.key for fault in faults] == [f"data_train.{key}", f"data_val.{key}"]
    assert {fault.found for fault in faults} == {found}


def test_embeddings_of_something_else_are_nobodys_business() -> None:
    model = embedding_model("[10, 2, 1]", "[1, 1, 1]")
    step = model["commands"][0]["processing_steps"][-1]
    model["commands"][0]["processing_steps"][-1] = {
        **step,
        "kwargs": {**step["kwargs"], "cond_ids_name": "my_ids"},
    }
    assert check_experiment(samples.experiment(model=model)) == []


@pytest.mark.parametrize(
    ("section", "document"),
    [
        ("model", samples.model()),
        ("data_train", samples.data()),
        ("data_val", samples.data()),
        ("trainer", samples.trainer()),
    ],
)
def test_sections_by_themselves(section: str, document: Document) -> None:
    assert section_faults(section, document) == []


def test_faults_of_a_section_have_their_place() -> None:
    (fault,) = section_faults("data_train", samples.data(("train: true", "train: 1")))
    assert (fault.file, fault.line, fault.key) == ("data.yaml", 1, "train")


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        (
            "base: {model: a.yaml, data_train: b.yaml}\nresources: {gpus: 1}",
            "grid",
            "resources.gpus",
        ),
        ("base: {model: a.yaml}", "grid", "base.data_train"),
        ("base: {model: a.yaml, data_train: b.yaml}\nrandom: {n: 3}", "grid", "random.axes"),
        ("base: {model: a.yaml, data_train: b.yaml}\nseed: 1.5", "grid", "seed"),
        ("gpu_flag: gpus", "site", "gpu_flag"),
        ("modules: cuda", "site", "modules"),
        ("defaults: {nodes: 0}", "site", "defaults.nodes"),
    ],
)
def test_grid_and_site_files(text: str, kind: str, key: str) -> None:
    (fault,) = file_faults(kind, parse_document(text, "x.yaml"))
    assert fault.key == key


def variants(base: dict[str, Any]) -> list[dict[str, Any]]:
    changes = [
        ("seed", -1),
        ("model.optimizers.0.kwargs.lr", "x"),
        ("model.chain.encoder.cfg.hidden_dims", [8]),
        ("model.chain.encoder.name", "decoder"),
        ("model.optimizers.0.links", []),
        (f"{PLOT_COMMAND}.name", "nothing"),
        ("data_train.cond_trans_mgr.0.cfg.categories_map", [0.1]),
        ("trainer.kwargs", {"max_epochs": 1}),
        ("world_size", 8),
    ]
    singles = [with_value(base, resolve(base, path), value) for path, value in changes]
    path, value = changes[1]
    doubles = [with_value(config, resolve(config, path), value) for config in singles]
    return [*singles, base, *doubles, base]


def test_one_inspector_for_many_variants_finds_what_a_fresh_one_finds() -> None:
    inspector = Inspector()
    for config in variants(samples.experiment()):
        fresh = Inspector().inspect(config, EXPERIMENT)
        assert list(inspector.inspect(config, EXPERIMENT)) == list(fresh)


def test_hydras_word_for_a_class_is_one_fault() -> None:
    fault = fault_of(samples.experiment(model={"_target_": "my.Module", "width": 3}))
    assert fault.key == "model._target_"
    assert "class_path" in str(fault)


def test_a_model_with_loaders_of_its_own() -> None:
    assert check_experiment(samples.experiment(model=OWN, data_train=None, data_val=None)) == []
    assert fault_of(samples.experiment(model=OWN, data_train=None)).key == "data_val"
    without = samples.experiment(data_train=None, data_val=None)
    assert "data_train" in {fault.key for fault in check_experiment(without)}


def test_an_interpolation_among_arguments_is_refused() -> None:
    own = {"class_path": "my.Module", "init_args": {"layers": {"width": "${data.width}"}}}
    fault = fault_of(samples.experiment(**ALL_OWN | {"model": own}))
    assert fault.key == "model.init_args.layers.width"


def with_trainer(*callbacks: str, sections: Any = None, **changes: Any) -> dict[str, Any]:
    kwargs = changes.pop("kwargs", {})
    listed = [{"name": name, "kwargs": ARGUMENTS.get(name, {})} for name in callbacks]
    trainer = samples.experiment()["trainer"] | {"callbacks": listed, "kwargs": kwargs}
    world_size = changes.pop("world_size", 1)
    config = samples.experiment(trainer=trainer | changes, **sections or {})
    return config | {"world_size": world_size}


ARGUMENTS = {
    "early_stopping": {"monitor": "val/loss"},
    "gradient_accumulation_scheduler": {"scheduling": {"0": 2}},
    "stochastic_weight_averaging": {"swa_lrs": 0.1},
}


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (with_trainer("gradient_accumulation_scheduler"), "trainer.callbacks.0"),
        (with_trainer("backbone_finetuning"), "trainer.callbacks.0"),
        (with_trainer("early_stopping", "early_stopping"), "trainer.callbacks.1"),
        (with_trainer("rich_progress_bar", "tqdm_progress_bar"), "trainer.callbacks.1"),
        (with_trainer(after_fit="test"), "trainer.after_fit"),
        (with_trainer(after_fit="predict"), "trainer.after_fit"),
        (with_trainer(accelerator="tpu"), "trainer.accelerator"),
        (with_trainer(devices=[0, 0]), "trainer.devices"),
        (with_trainer(devices=[0, -1]), "trainer.devices"),
        (with_trainer(devices=[0, 1], world_size=3), "trainer.devices"),
        (
            with_trainer(kwargs={"val_check_interval": "00:01:00:00"}, world_size=2),
            "trainer.kwargs.val_check_interval",
        ),
        (
            with_trainer(
                "gradient_accumulation_scheduler",
                kwargs={"accumulate_grad_batches": 2},
                sections=ALL_OWN,
            ),
            "trainer.kwargs.accumulate_grad_batches",
        ),
        (samples.experiment(model=OWN), "data_train"),
    ],
)
def test_what_a_node_would_refuse(config: dict[str, Any], key: str) -> None:
    # An item of a list is called by its name.
    assert (fault_of(config).key or "").startswith(key.rstrip(".01"))


def test_what_a_node_can_do() -> None:
    assert check_experiment(with_trainer("stochastic_weight_averaging")) == []
    assert check_experiment(with_trainer(devices=[4, 6], world_size=4)) == []
    clock = {"val_check_interval": {"minutes": 10}}
    assert check_experiment(with_trainer(kwargs=clock)) == []
    assert check_experiment(with_trainer(after_fit="test", sections=ALL_OWN)) == []
