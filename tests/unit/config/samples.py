"""Small valid files, and a way to break them in one place."""

from typing import Any

from pcm.config.document import Document, parse_document
from pcm.config.structure import ConfigStructure, find_faults
from pcm.config.structures.experiment import DATA_FILE, MODEL_FILE
from pcm.config.structures.grid import GRID
from pcm.config.structures.site import SITE
from pcm.config.structures.trainer import TRAINER
from pcm.errors import Fault

STRUCTURES: dict[str, ConfigStructure] = {
    "model": MODEL_FILE,
    "data": DATA_FILE,
    "trainer": TRAINER,
    "grid": GRID,
    "site": SITE,
}

MODEL = """\
chain:
  - name: encoder
    chain_link_spec_path: dense_blocks/dense_block_stack
    cfg:
      input_dim: 784
      output_dim: 8
      hidden_dims: [32, 16]
      ordered_module_specs:
        - {nnmodule_spec_path: activation/relu, kwargs: {}}
      block_wrapper_name: null
  - name: posterior
    chain_link_spec_path: latent/posterior_gaussian
    cfg: {std_transform: softplus, loss_coef_posterior_entropy: 1e-3}
  - name: reshape
    chain_link_spec_path: misc/rearranger
    cfg: {}
optimizers:
  - links: [encoder]
    optimizer_name: adam
    kwargs: {lr: 1e-3}
    lr_scheduler: null
training:
  batch_size: 16
  max_epochs: 2
  check_val_every_n_epoch: null
loss_manager:
  reductions:
    - {reduce_pattern: b d ->, reductor_name: mean, pre_scale: null, post_scale: null, kwargs: {}}
  loss_coef_schedulers: null
commands:
  - command_name: forward
    processing_steps:
      - {link: reshape, method: forward, kwargs: {data_name: img, pattern: b 1 h w -> b (h w)}}
      - {link: encoder, method: forward, kwargs: {data_name: img}}
      - {link: posterior, method: forward, kwargs: {data_name: img, n_latent_samples: 1}}
  - command_name: encode
    processing_steps:
      - {link: posterior, method: forward, kwargs: {data_name: img}}
"""

DATA = """\
train: true
label_condition: {token_id: 1, known_prob: 0.5}
cond_trans_mgr:
  - known_prob: 0.5
    is_continous: false
    cfg:
      token_id: 2
      image_transform: {name: fade, keyword: threshold, kwargs: {}}
      distribution: {name: categorical, kwargs: {probs: [0.5, 0.5]}}
      categories_map: [0, 0.5]
  - known_prob: 1
    is_continous: true
    cfg:
      token_id: 3
      image_transform: {name: rotate, keyword: degree, kwargs: {}}
      distribution: {name: uniform, kwargs: {low: 0, high: 90}}
      value_transform: {name: log1p, kwargs: {}}
"""

TRAINER = """\
callbacks:
  - {name: lr_monitor, cfg: {}, kwargs: {logging_interval: step}}
  - name: neptune_plot
    kwargs: {}
    cfg:
      neptune_plot_log_path: plots/latent
      command:
        name: encode
        dynamic_kwargs: {posterior: {n_latent_samples: 1}}
      plt_tree_top_node:
        top_node_name: nproc_batch
        top_node_cfg:
          n_batches: 2
          plt_tree_cfg:
            - node_name: perform_pca_node
              node_cfg:
                kwargs: {n_components: 2}
                data_name: img
                node_name: plt_fn_node_list
                node_cfg:
                  plt_fn_node_list:
                    - name: pairplot
                      kwargs: {hue_dim: 0}
                      data_args_names: [img, condition_values]
                      filename_comp: pairs
num_nodes: 1
devices: [0]
accelerator: cpu
kwargs: {log_every_n_steps: 10}
"""


def model(*changes: tuple[str, str]) -> Document:
    """The model file, with each `(old, new)` applied."""
    return parse_document(changed(MODEL, *changes), "model.yaml")


def data(*changes: tuple[str, str]) -> Document:
    """The data file, with each `(old, new)` applied."""
    return parse_document(changed(DATA, *changes), "data.yaml")


def trainer(*changes: tuple[str, str]) -> Document:
    """The trainer file, with each `(old, new)` applied."""
    return parse_document(changed(TRAINER, *changes), "trainer.yaml")


def experiment(**sections: Any) -> dict[str, Any]:
    """A whole experiment's config, with `sections` in place of the usual ones."""
    return {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": None,
        "world_size": 1,
        "model": model().data,
        "data_train": data().data,
        "data_val": data().data,
        "trainer": trainer().data,
    } | sections


def changed(text: str, *changes: tuple[str, str]) -> str:
    """`text` with the first occurrence of each `old` replaced; all of them must occur."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the sample"
        text = text.replace(old, new, 1)
    return text


def file_faults(kind: str, document: Document) -> list[Fault]:
    """Everything wrong with a file of one of `STRUCTURES`, seen by itself."""
    structure = STRUCTURES[kind]
    return find_faults(document.data, structure, file=document.name, lines=document.lines)


def check_model(content: Any) -> list[Fault]:
    """Everything wrong with the content of a model file."""
    return find_faults(content, MODEL_FILE)
