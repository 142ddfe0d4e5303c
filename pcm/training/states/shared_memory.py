"""Tensors and arrays that lie in one another's memory, and do so again after a resume."""

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Node = list[Any]

_ALIGNED = 16
"""Bytes: where memory begins, of which any type may be read."""

_KINDS = "biufcSUMm"
"""NumPy's letters for types that have a name."""


@dataclass(frozen=True)
class Span:
    """Where the elements of a tensor or an array are.

    Attributes:
        low: the first byte's address.
        high: the address after the last byte.
        strides: bytes from one element to the next, along each axis.
        first: the address of the first element.
        size: bytes of all elements.
    """

    value: Any
    device: str
    low: int
    high: int
    strides: tuple[int, ...]
    first: int
    size: int

    @property
    def is_dense(self) -> bool:
        """Whether there is nothing else between the elements."""
        return self.high - self.low == self.size


def span_of(value: Any) -> Span | None:
    """None of what has no elements, or is not simply memory."""
    if type(value) is np.ndarray:
        if value.dtype.kind not in _KINDS or not value.size:
            return None
        first, width, device = int(value.ctypes.data), value.itemsize, "cpu"
        strides = value.strides
    elif type(value) in (Tensor, nn.Parameter):
        if value.layout is not torch.strided or value.is_meta or value.is_conj() or value.is_neg():
            return None
        if not value.numel():
            return None
        first, width, device = value.data_ptr(), value.element_size(), str(value.device)
        strides = tuple(each * width for each in value.stride())
    else:
        return None
    steps = [(count - 1) * step for count, step in zip(value.shape, strides, strict=True)]
    low, high = first + sum(s for s in steps if s < 0), first + sum(s for s in steps if s > 0)
    size = width * int(np.prod(value.shape))
    return Span(value, device, low, high + width, strides, first, size)


def share(written: Iterable[tuple[Any, Node]], owners: Iterable[tuple[Node, Any]]) -> None:
    """Change the nodes of what lies in other memory than its own into views of that.

    Args:
        written: tensors and arrays, with the nodes that would make each anew.
        owners: what will be there, with the nodes that find it.
    """
    found = [(span, node) for value, node in written if (span := span_of(value)) is not None]
    if not found:
        return
    loose: list[tuple[Span, Node]] = []
    dense = ((span_of(value), source) for source, value in owners)
    all_spans = [(span, source, True) for span, source in dense if span is not None]
    all_spans = [each for each in all_spans if each[0].is_dense]
    all_spans += [(span, node, False) for span, node in found]
    all_spans.sort(key=lambda each: (each[0].device, each[0].low, not each[2]))
    owner: tuple[Span, Node] | None = None
    for span, node, is_owner in all_spans:
        is_in = owner is not None and _is_in(span, owner[0])
        if is_owner:
            owner = owner if is_in else (span, node)
        elif is_in and owner is not None:
            node[:] = _view(span, owner[1], owner[0].low, node)
        else:
            loose.append((span, node))
    _share_loose(loose)


def _is_in(span: Span, owner: Span) -> bool:
    return span.device == owner.device and owner.low <= span.low and span.high <= owner.high


def _share_loose(loose: Sequence[tuple[Span, Node]]) -> None:
    """Write the memory of those that overlap once; they are in the order of their memory."""
    groups: list[list[tuple[Span, Node]]] = []
    device, end = "", 0
    for span, node in loose:
        if span.device != device or span.low >= end:
            groups.append([])
            device, end = span.device, 0
        groups[-1].append((span, node))
        end = max(end, span.high)
    for number, group in enumerate(groups):
        spans = [span for span, _ in group]
        if len(group) == 1 or not _overlap(spans):
            continue
        low, high = spans[0].low, max(each.high for each in spans)
        pad = low % _ALIGNED
        memory: Any = torch.cat([torch.zeros(pad, dtype=torch.uint8), _bytes(spans[0], high)])
        # The one that is rebuilt first brings the memory.
        for span, node in sorted(group, key=lambda each: int(each[1][-1])):
            source = ["memory", number, memory, device == "cpu", -1]
            node[:], memory = _view(span, source, low - pad, node), None


def _overlap(spans: Sequence[Span]) -> bool:
    """Whether any byte is in two of them: two columns of a table have none in common."""
    low, high = spans[0].low, max(each.high for each in spans)
    if high - low < sum(each.size for each in spans):
        return True
    counts = np.zeros(high - low, dtype=np.uint8)
    for span in spans:
        width = span.value.itemsize
        shape, strides = (*span.value.shape, width), (*span.strides, 1)
        at = np.ndarray(shape, np.uint8, counts, span.first - low, strides)
        if at.any():
            return True
        at[...] = 1
    return False


def _bytes(span: Span, high: int) -> Tensor:
    """A copy of the memory from where a span begins."""
    if span.device == "cpu":
        return torch.frombuffer(
            bytearray(ctypes.string_at(span.low, high - span.low)), dtype=torch.uint8
        )
    return _as_bytes(span.value, high - span.low).cpu()


def _view(span: Span, source: Node, start: int, node: Node) -> Node:
    """The node of a view, in place of one that would make a copy."""
    value = span.value
    is_tensor = isinstance(value, Tensor)
    kind = value.dtype if is_tensor else value.dtype.str
    form = [kind, list(value.shape), list(span.strides), span.first - start]
    return ["view", source, form, is_tensor and node[3], node[-1]]


def memory_of(value: Any) -> Tensor:
    """The bytes of a tensor or an array that is dense, in its own memory."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.reshape(-1).view(np.uint8))
    return _as_bytes(value, value.numel() * value.element_size())


def _as_bytes(tensor: Tensor, count: int) -> Tensor:
    empty = torch.empty(0, dtype=torch.uint8, device=tensor.device)
    start = tensor.storage_offset() * tensor.element_size()
    return empty.set_(tensor.untyped_storage(), start, (count,), (1,))


def rebuild_view(memory: Tensor, form: list[Any], *, needs_grad: bool) -> Any:
    """The tensor or the array in that memory.

    Raises:
        ValueError, RuntimeError: it isn't there.
    """
    kind, shape, strides, start = form
    if isinstance(kind, str):
        return np.ndarray(shape, kind, memory.numpy(), start, strides)
    width = kind.itemsize
    empty = torch.empty(0, dtype=kind, device=memory.device)
    at = (memory.storage_offset() + start) // width
    steps = [each // width for each in strides]
    tensor = empty.set_(memory.untyped_storage(), at, shape, steps)
    return tensor.requires_grad_() if needs_grad else tensor
