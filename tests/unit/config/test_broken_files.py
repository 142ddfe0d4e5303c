"""Broken configs: each is refused with file, line, key and what to do, never a traceback."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pcm.config.document import Document
from pcm.errors import Fault
from tests.unit.config import samples
from tests.unit.config.samples import file_faults


@dataclass(frozen=True)
class Case:
    """A sample, one change to it, and the fault that must come of it."""

    old: str
    new: str
    line: int
    key: str
    problem: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None


MODEL_CASES = {
    "wrong type": Case(
        "batch_size: 16",
        "batch_size: many",
        *(23, "training.batch_size", "wrong type", '"many" (a string)', "int"),
    ),
    "quoted number": Case(
        "max_epochs: 2",
        'max_epochs: "2"',
        *(24, "training.max_epochs", "wrong type", '"2" (a string)', "int", "remove the quotes"),
    ),
    "bool for int": Case(
        "output_dim: 8",
        "output_dim: true",
        *(6, "chain.encoder.cfg.output_dim", "wrong type", "true (a boolean)", "int"),
    ),
    "float for int": Case(
        "input_dim: 784",
        "input_dim: 784.0",
        *(5, "chain.encoder.cfg.input_dim", "wrong type", "784.0 (a number)", "int", "write 784"),
    ),
    "not a number": Case(
        "{lr: 1e-3}",
        "{lr: .nan}",
        *(20, "optimizers.0.kwargs.lr", "not a finite number", "nan"),
    ),
    "infinite": Case(
        "loss_coef_posterior_entropy: 1e-3",
        "loss_coef_posterior_entropy: .inf",
        *(13, "chain.posterior.cfg.loss_coef_posterior_entropy", "not a finite number", "inf"),
    ),
    "negative rate": Case(
        "{lr: 1e-3}",
        "{lr: -1e-3}",
        *(20, "optimizers.0.kwargs.lr", "out of range", "-0.001", "float, at least 0"),
    ),
    "no batch": Case(
        "batch_size: 16",
        "batch_size: 0",
        *(23, "training.batch_size", "out of range", "0", "int, at least 1"),
    ),
    "missing key": Case(
        "  batch_size: 16\n",
        "",
        *(22, "training.batch_size", "missing key 'batch_size'"),
    ),
    "missing key that may be null": Case(
        "      block_wrapper_name: null\n",
        "",
        *(4, "chain.encoder.cfg.block_wrapper_name", "missing key 'block_wrapper_name'"),
        hint="write 'block_wrapper_name: null' for none",
    ),
    "unknown key": Case(
        "training:\n",
        "training:\n  shuffle: true\n",
        *(23, "training.shuffle", "unknown key 'shuffle'"),
        expected="one of batch_size, max_epochs, check_val_every_n_epoch",
    ),
    "misspelt key": Case(
        "max_epochs: 2",
        "max_epoch: 2",
        *(24, "training.max_epoch", "unknown key 'max_epoch'"),
        hint="did you mean 'max_epochs'?",
    ),
    "misspelt link path": Case(
        "latent/posterior_gaussian",
        "latent/posterior_gausian",
        *(12, "chain.posterior.chain_link_spec_path", "unknown link"),
        found='"latent/posterior_gausian"',
        hint="did you mean 'latent/posterior_gaussian'?",
    ),
    "link path without its folder": Case(
        "latent/posterior_gaussian",
        "posterior_gaussian",
        *(12, "chain.posterior.chain_link_spec_path", "unknown link"),
        hint="did you mean 'latent/posterior_gaussian'?",
    ),
    "misspelt module": Case(
        "activation/relu",
        "activation/rleu",
        *(9, "chain.encoder.cfg.ordered_module_specs.0.nnmodule_spec_path", "unknown module"),
        hint="did you mean 'activation/relu'?",
    ),
    "misspelt optimizer": Case(
        "optimizer_name: adam",
        "optimizer_name: adm",
        *(19, "optimizers.0.optimizer_name", "unknown optimizer", '"adm"'),
        expected="one of adam, sgd, adagrad, rmsprop",
        hint="did you mean 'adam'?",
    ),
    "kwargs an optimizer doesn't take": Case(
        "{lr: 1e-3}",
        "{lr: 1e-3, momentum: 0.9}",
        *(20, "optimizers.0.kwargs.momentum", "unknown key 'momentum'"),
    ),
    "misspelt std transform": Case(
        "std_transform: softplus",
        "std_transform: soft_plus",
        *(13, "chain.posterior.cfg.std_transform", "unknown std transform", '"soft_plus"'),
        hint="did you mean 'softplus'?",
    ),
    "duplicate link name": Case(
        "- name: reshape",
        "- name: encoder",
        *(14, "chain.2.name", "two links have one name", '"encoder"'),
    ),
    "a link's name with a dot": Case(
        "- name: posterior",
        "- name: post.erior",
        *(11, "chain.1.name", "a link can't have this name", '"post.erior"'),
    ),
    "unknown link in a command": Case(
        "{link: reshape,",
        "{link: reshap,",
        *(33, "commands.forward.processing_steps.0.link", "unknown link", '"reshap"'),
        expected="one of encoder, posterior, reshape",
        hint="did you mean 'reshape'?",
    ),
    "unknown method": Case(
        "{link: encoder, method: forward,",
        "{link: encoder, method: foward,",
        line=34,
        key="commands.forward.processing_steps.1.method",
        problem="unknown method of dense_blocks/dense_block_stack",
        expected="one of forward",
        hint="did you mean 'forward'?",
    ),
    "kwargs a method doesn't take": Case(
        "method: forward, kwargs: {data_name: img}}",
        "method: forward, kwargs: {data_name: img, dim: 1}}",
        *(34, "commands.forward.processing_steps.1.kwargs.dim", "unknown key 'dim'"),
    ),
    "kwargs a method lacks": Case(
        ", n_latent_samples: 1",
        "",
        line=35,
        key="commands.forward.processing_steps.2.kwargs.n_latent_samples",
        problem="missing key 'n_latent_samples'",
    ),
    "wrong type of a method's kwargs": Case(
        "n_latent_samples: 1",
        "n_latent_samples: one",
        *(35, "commands.forward.processing_steps.2.kwargs.n_latent_samples", "wrong type"),
    ),
    "no forward": Case(
        "command_name: forward",
        "command_name: froward",
        *(30, "commands", "no command 'forward'", "froward, encode"),
        hint="rename 'froward'",
    ),
    "duplicate command": Case(
        "command_name: encode",
        "command_name: forward",
        *(36, "commands.1.command_name", "two commands have one name", '"forward"'),
    ),
    "link without optimizer": Case(
        "links: [encoder]",
        "links: []",
        *(2, "chain.encoder", "the link 'encoder' has parameters but no optimizer"),
        hint="add encoder to the links of an optimizer",
    ),
    "link twice in an optimizer": Case(
        "links: [encoder]",
        "links: [encoder, posterior, encoder]",
        *(18, "optimizers.0.links.2", "the link 'encoder' is in two optimizers", '"encoder"'),
    ),
    "link in two optimizers": Case(
        "training:\n",
        "  - {links: [encoder], optimizer_name: sgd, kwargs: {}, lr_scheduler: null}\ntraining:\n",
        *(22, "optimizers.1.links.0", "the link 'encoder' is in two optimizers", '"encoder"'),
        expected="one; optimizers.0 has it already",
    ),
    "unknown link in an optimizer": Case(
        "links: [encoder]",
        "links: [encoder, decoder]",
        *(18, "optimizers.0.links.1", "unknown link", '"decoder"'),
    ),
    "optimizer with nothing to train": Case(
        "training:\n",
        "  - {links: [posterior], optimizer_name: sgd, kwargs: {}, lr_scheduler: null}\n"
        "training:\n",
        *(22, "optimizers.1.links", "no link of this optimizer has parameters", "posterior"),
    ),
    "scheduler of an unknown link": Case(
        "loss_coef_schedulers: null",
        "loss_coef_schedulers: [{link_name: posteriour, loss_name: x, schedulers_cfg: "
        "[{name: linear, kwargs: {start_coef_scale: 0, end_coef_scale: 1, num_epochs: 1}}]}]",
        *(29, "loss_manager.loss_coef_schedulers.posteriour.link_name", "unknown link"),
        hint="did you mean 'posterior'?",
    ),
    "scheduler of an unknown loss": Case(
        "loss_coef_schedulers: null",
        "loss_coef_schedulers: [{link_name: posterior, loss_name: postr_ent, schedulers_cfg: "
        "[{name: linear, kwargs: {start_coef_scale: 0, end_coef_scale: 1, num_epochs: 1}}]}]",
        line=29,
        key="loss_manager.loss_coef_schedulers.posterior.loss_name",
        problem="unknown loss of the link 'posterior'",
        hint="did you mean 'postr_neg_entr'?",
    ),
    "exponential schedule from zero": Case(
        "loss_coef_schedulers: null",
        "loss_coef_schedulers: [{link_name: posterior, loss_name: postr_neg_entr, schedulers_cfg: "
        "[{name: exp, kwargs: {start_coef_scale: 0, end_coef_scale: 1, num_epochs: 1}}]}]",
        line=29,
        key="loss_manager.loss_coef_schedulers.posterior.schedulers_cfg.exp.kwargs.start_coef_scale",
        problem="an exponential schedule can't pass through zero",
        found="0 to 1",
    ),
    "list for mapping": Case(
        "  batch_size: 16\n  max_epochs: 2\n  check_val_every_n_epoch: null\n",
        "  - batch_size: 16\n",
        *(22, "training", "wrong type", "a list of 1"),
        expected="a mapping with batch_size, max_epochs, check_val_every_n_epoch",
        hint="write 'key: value' without '- '",
    ),
    "mapping for list": Case(
        "hidden_dims: [32, 16]",
        "hidden_dims: {first: 32}",
        *(7, "chain.encoder.cfg.hidden_dims", "wrong type", "a mapping of first"),
        hint="begin every item with '- '",
    ),
    "nothing for mapping": Case(
        "    cfg: {}\n",
        "    cfg:\n",
        *(16, "chain.reshape.cfg", "wrong type", "null"),
        hint="write {} for a mapping without keys",
    ),
}

DATA_CASES = {
    "yes for a bool": Case(
        "train: true",
        "train: yes",
        *(1, "train", "wrong type", '"yes" (a string)', "bool", "write true"),
    ),
    "probability of 1.2": Case(
        "known_prob: 0.5}",
        "known_prob: 1.2}",
        *(2, "label_condition.known_prob", "out of range", "1.2"),
        expected="float, at least 0 and at most 1",
    ),
    "negative probability": Case(
        "probs: [0.5, 0.5]",
        "probs: [0.5, -0.5]",
        *(9, "cond_trans_mgr.0.cfg.distribution.kwargs.probs.1", "out of range", "-0.5"),
    ),
    "token 0": Case(
        "{token_id: 1,",
        "{token_id: 0,",
        *(2, "label_condition.token_id", "out of range", "0", "int, at least 1"),
    ),
    "token given twice": Case(
        "token_id: 3",
        "token_id: 1",
        *(14, "cond_trans_mgr.1.cfg.token_id", "two conditions have one token id", "1"),
        expected="an id of its own; 1 is that of label_condition",
    ),
    "misspelt transform": Case(
        "name: rotate",
        "name: rotat",
        *(15, "cond_trans_mgr.1.cfg.image_transform.name", "unknown image transform"),
        hint="did you mean 'rotate'?",
    ),
    "argument a transform doesn't have": Case(
        "keyword: degree",
        "keyword: angle",
        *(15, "cond_trans_mgr.1.cfg.image_transform.keyword", "rotate has no such argument"),
        hint="did you mean 'degree'?",
    ),
    "threshold of 1": Case(
        "categories_map: [0, 0.5]",
        "categories_map: [0, 1]",
        line=10,
        key="cond_trans_mgr.0.cfg.categories_map.1",
        problem="out of range for the threshold of fade",
        found="1",
        expected="float, at least 0 and below 1",
    ),
    "categories that don't fit the distribution": Case(
        "categories_map: [0, 0.5]",
        "categories_map: [0, 0.3, 0.5]",
        line=10,
        key="cond_trans_mgr.0.cfg.categories_map",
        problem="categories_map does not fit the distribution",
        found="3 categories",
        expected="2, one an outcome",
    ),
    "continuous distribution for categories": Case(
        "name: categorical",
        "name: uniform",
        *(9, "cond_trans_mgr.0.cfg.distribution.name", "unknown discrete distribution"),
    ),
    "empty range": Case(
        "low: 0, high: 90",
        "low: 90, high: 90",
        *(16, "cond_trans_mgr.1.cfg.distribution.kwargs.low", "an empty range", "90 to 90"),
    ),
    "logarithm of less than nothing": Case(
        "low: 0, high: 90",
        "low: -1, high: 90",
        *(16, "cond_trans_mgr.1.cfg.distribution.kwargs.low", "out of range for log1p", "-1"),
    ),
    "misspelt key of the catalogue's own spelling": Case(
        "is_continous: false",
        "is_continuous: false",
        *(5, "cond_trans_mgr.0.is_continuous", "unknown key 'is_continuous'"),
        hint="did you mean 'is_continous'?",
    ),
}

TRAINER_CASES = {
    "misspelt callback": Case(
        "name: lr_monitor",
        "name: lr_moniter",
        *(2, "callbacks.lr_moniter.name", "unknown callback"),
        hint="did you mean 'lr_monitor'?",
    ),
    "unknown precision": Case(
        "log_every_n_steps: 10",
        "precision: bf16-mix",
        *(29, "kwargs.precision", "Lightning has no such precision"),
        hint="did you mean 'bf16-mixed'?",
    ),
    "kwargs the trainer doesn't take": Case(
        "log_every_n_steps: 10",
        "log_every_n_step: 10",
        *(29, "kwargs.log_every_n_step", "Lightning's Trainer takes no 'log_every_n_step'"),
        hint="did you mean 'log_every_n_steps'?",
    ),
    "kwargs that stand elsewhere": Case(
        "{log_every_n_steps: 10}",
        "{devices: 2}",
        *(29, "kwargs.devices", "'devices' can't be among the kwargs", "2"),
        hint="write it beside kwargs",
    ),
    "misspelt plot node": Case(
        "node_name: perform_pca_node",
        "node_name: pca",
        line=15,
        key="callbacks.neptune_plot.cfg.plt_tree_top_node.top_node_cfg.plt_tree_cfg.pca.node_name",
        problem="unknown plot node",
    ),
    "plot function with too few data": Case(
        "[img, condition_values]",
        "[img]",
        line=24,
        key="callbacks.neptune_plot.cfg.plt_tree_top_node.top_node_cfg.plt_tree_cfg"
        ".perform_pca_node.node_cfg.node_cfg.plt_fn_node_list.pairplot.data_args_names",
        problem="not as many as the function takes",
        found="img",
        expected="2: data, colors",
    ),
    "devices of the wrong kind": Case(
        "devices: [0]",
        "devices: 1.5",
        *(27, "devices", "fits no alternative", "1.5 (a number)"),
        expected="null or int or str or a list, each item int",
    ),
}


def cases() -> list[object]:
    samples_and_cases: list[tuple[str, Callable[..., Document], dict[str, Case]]] = [
        ("model", samples.model, MODEL_CASES),
        ("data", samples.data, DATA_CASES),
        ("trainer", samples.trainer, TRAINER_CASES),
    ]
    return [
        pytest.param(kind, sample, case, id=name)
        for kind, sample, table in samples_and_cases
        for name, case in table.items()
    ]


@pytest.mark.parametrize(("kind", "sample", "case"), cases())
def test_a_broken_file(kind: str, sample: Callable[..., Document], case: Case) -> None:
    document = sample((case.old, case.new))
    faults = file_faults(kind, document)
    fault = the_one_at(case.key, faults)
    assert (fault.file, fault.line) == (document.name, case.line)
    assert fault.problem == case.problem
    for told, wanted in (
        (fault.found, case.found),
        (fault.expected, case.expected),
        (fault.hint, case.hint),
    ):
        assert wanted is None or told == wanted
    assert str(fault).startswith(f"{kind}.yaml:{case.line}: {case.key}: {case.problem}")


def the_one_at(key: str, faults: list[Fault]) -> Fault:
    (fault,) = [fault for fault in faults if fault.key == key]
    return fault


@pytest.mark.parametrize(
    ("kind", "document"),
    [("model", samples.model()), ("data", samples.data()), ("trainer", samples.trainer())],
)
def test_the_samples_themselves_are_right(kind: str, document: Document) -> None:
    assert file_faults(kind, document) == []


def test_faults_in_different_places_are_told_together() -> None:
    document = samples.model(
        ("batch_size: 16", "batch_size: x"),
        ("links: [encoder]", "links: []"),
        ("{link: reshape,", "{link: nothing,"),
        ("softplus", "hardplus"),
    )
    lines = [fault.line for fault in file_faults("model", document)]
    assert lines == [2, 13, 18, 23, 33]


@pytest.mark.parametrize("content", [None, [], "text", 3, {}, {"unrelated": 1}])
def test_what_is_no_config_at_all(content: object) -> None:
    for kind in ("model", "data", "trainer", "grid"):
        assert file_faults(kind, Document("x.yaml", content, {(): 1}))
