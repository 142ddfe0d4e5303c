"""What torch keeps in a module beside what its `state_dict` has."""

from collections.abc import Mapping

from torch import Tensor, dtype, nn

LAZY_HOOKS = ("_initialize_hook", "_load_hook")
"""Attributes of a lazy module, which torch itself takes away with its first batch: there they must
be, also if the weights were loaded before.
"""


def tensors_of(module: nn.Module) -> dict[str, Tensor | None]:
    """Its own parameters and buffers."""
    return {**module._parameters, **module._buffers}


def set_tensor(module: nn.Module, name: str, tensor: Tensor | None) -> None:
    """Put another tensor, or none, in the place of a parameter or a buffer."""
    if name in module._buffers:
        module._buffers[name] = tensor
    else:
        module._parameters[name] = tensor if tensor is None else nn.Parameter(tensor)


def unsaved_buffers(module: nn.Module) -> dict[str, Tensor | None]:
    """Its own buffers that are `persistent=False`, in the order in which they were registered."""
    # Torch keeps their names in a set, whose order differs from process to process.
    names = module._non_persistent_buffers_set
    return {name: buffer for name, buffer in module._buffers.items() if name in names}


def fit_buffers(model: nn.Module, saved: Mapping[str, Tensor]) -> None:
    """Make room for buffers that have grown, or were none, when they were saved.

    Torch loads none that is of another shape.
    """
    for path, module in model.named_modules():
        for name, buffer in module._buffers.items():
            wanted = saved.get(f"{path}.{name}".lstrip("."))
            is_unsaved = name in module._non_persistent_buffers_set
            if wanted is None or is_unsaved or (buffer is not None and _fits(buffer, wanted)):
                continue
            module._buffers[name] = wanted.to("cpu" if buffer is None else buffer.device).clone()


def fit_types(model: nn.Module, types: Mapping[str, dtype]) -> None:
    """Have buffers of the types that they had, where Lightning has converted what was loaded."""
    for path, module in model.named_modules():
        for name, buffer in module._buffers.items():
            wanted = types.get(f"{path}.{name}".lstrip("."))
            if buffer is not None and wanted is not None and buffer.dtype != wanted:
                module._buffers[name] = buffer.to(wanted)


def _fits(buffer: Tensor, wanted: Tensor) -> bool:
    return buffer.shape == wanted.shape
