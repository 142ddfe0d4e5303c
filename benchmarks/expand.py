"""Expanding and checking grids of the full model, against whole configs copied and checked.

The peer is the plain way: for every point a deep copy of the base config, the overrides
set in it, the whole config checked recursively and hashed. It does so for few points, since
it takes the same time for each.
Two kinds of grids: `grid`, ten learning rates times ten sizes of the prior times seeds, of
which points share much; and `random`, where every point has values of its own.
Goals: 1,000 points in under 0.2 s, 100,000 in under 5 s, under 2 KB a point beyond the first.
Points with values of their own are to cost little more than those of a grid; what they do is that
each has seven mappings of its own to hash, where points of a grid share them, and SHA-256 alone
takes most of what there is between the two. So random axes are also measured against the same
values written out in a file, which has been read beforehand.
Ratios are medians of rounds in which each takes its turn.

    python -m benchmarks.expand [--points 1000 100000]
"""

import argparse
import copy
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.pairs import Cost, Rounds, cost_of
from launch.grid import expand
from launch.grid.draws import draw_axis
from launch.grid.expanding import expand_document
from pcm.config.check import check_experiment
from pcm.config.document import load_document
from pcm.config.identity import identity

CONFIG = Path(__file__).parents[1] / "config"
MODEL = CONFIG / "models" / "pcm-cvae.yaml"
LR = "model.optimizers.0.kwargs.lr"
COMPONENTS = "model.chain.prior.cfg.n_components"
PEER_POINTS = 100
SPREAD: dict[str, Any] = {
    LR: {"log_uniform": [1e-5, 1e-2]},
    COMPONENTS: {"int_uniform": [100, 10_000]},
}
KINDS = ("grid", "random")
MOST_WRITTEN = 10_000
"""Points whose values fit into a file: configs of more than 1 MiB are refused."""


def axes(kind: str, points: int) -> dict[str, Any]:
    """Axes of a grid with so many points."""
    if kind == "random":
        return {"random": {"n": points, "axes": SPREAD}}
    if kind == "written":
        drawn = {path: draw_axis(path, spread, 0, points) for path, spread in SPREAD.items()}
        return {"zip": [drawn]}
    rates = [1e-4 * (step + 1) for step in range(10)]
    components = [100 + step for step in range(10)]
    return {"grid": {LR: rates, COMPONENTS: components, "seed": list(range(points // 100))}}


def write_grid(folder: Path, kind: str, points: int) -> Path:
    """A grid file of the full model; JSON is YAML too."""
    base = {
        "model": str(MODEL),
        "data_train": str(CONFIG / "data" / "mnist-train.yaml"),
        "data_val": str(CONFIG / "data" / "mnist-test.yaml"),
        "trainer": str(CONFIG / "trainer" / "default.yaml"),
    }
    path = folder / f"{kind}-{points}.yaml"
    path.write_text(json.dumps({"name": "benchmark", "base": base, **axes(kind, points)}))
    return path


def naive_cost(path: Path) -> Cost:
    """Of the peer's points: deep copies, whole checks and whole hashes."""
    points = expand(path).points[:PEER_POINTS]
    base, changes = points[0].config, [[*p.changes, (("seed",), p.seed)] for p in points]

    def check() -> None:
        for change in changes:
            config = copy.deepcopy(base)
            for keys, value in change:
                inside: Any = config
                for key in keys[:-1]:
                    inside = inside[key]
                inside[keys[-1]] = value
            assert not check_experiment(config)
            identity(config)

    return cost_of(check)


def bytes_a_point(path: Path, alone: Path) -> float:
    """Memory that each point beyond the first keeps."""
    tracemalloc.start()
    kept = []
    sizes = []
    for grid in (alone, path):
        before = tracemalloc.get_traced_memory()[0]
        kept.append(expand(grid))
        sizes.append(tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    return (sizes[1] - sizes[0]) / (len(kept[1].points) - len(kept[0].points))


def cost_of_expanding(path: Path) -> Cost:
    """Of expanding a grid once."""
    return cost_of(lambda: expand(path))


def print_grids(folder: Path, sizes: list[int], rounds: int) -> None:
    """Points/s and the ratio to the peer, of CPU seconds."""
    print(f"medians of {rounds} rounds, CPU seconds")
    print(f"{'grid':8}{'points':>9}{'seconds':>10}{'points/s':>11}{'peer/s':>9}{'ratio':>9}")
    for points in sizes:
        paths = {kind: write_grid(folder, kind, points) for kind in KINDS}
        few = {kind: write_grid(folder, kind, 1_000) for kind in KINDS}
        ways: dict[str, Callable[[], Cost]] = {}
        for kind in KINDS:
            ways[kind] = partial(cost_of_expanding, paths[kind])
            ways[f"{kind} peer"] = partial(naive_cost, few[kind])
        measured = Rounds(ways, rounds)
        for kind in KINDS:
            seconds = measured.median(kind).cpu
            naive = PEER_POINTS / measured.median(f"{kind} peer").cpu
            ratio = measured.ratio(f"{kind} peer", kind).cpu * points / PEER_POINTS
            print(
                f"{kind:8}{points:>9,}{seconds:>10.3f}{points / seconds:>11,.0f}"
                f"{naive:>9,.0f}{ratio:>8.0f}x"
            )
        print(f"random axes : grid axes, {points:,} points: {measured.line('random', 'grid')}")


def print_draws(folder: Path, points: int, rounds: int) -> None:
    """Random axes against their values written out, of which points come to the same."""
    ways: dict[str, Callable[[], Cost]] = {}
    names = []
    for kind in ("random", "written"):
        path = write_grid(folder, kind, points)
        document, text = load_document(path), path.read_text()
        run = partial(expand_document, document, text, folder)
        ways[kind] = partial(cost_of, run)
        names.append([point.identity for point in run().points])
    assert names[0] == names[1]
    measured = Rounds(ways, rounds)
    line = measured.line("random", "written")
    print(f"random axes : their values written out, {points:,} points: {line}")


def print_yaml() -> None:
    """PyYAML's two loaders, and ours with the lines of every key."""
    text = MODEL.read_text()
    loaders: dict[str, Callable[[], object]] = {
        "yaml.SafeLoader": lambda: yaml.load(text, yaml.SafeLoader),
        "yaml.CSafeLoader": lambda: yaml.load(text, yaml.CSafeLoader),
        "load_document": lambda: load_document(MODEL),
    }
    ways = {name: partial(cost_of, run) for name, run in loaders.items()}
    measured = Rounds(ways, 5)
    print(f"\nreading {MODEL.name}, medians of 5 rounds")
    for name in ways:
        print(f"{name:18}{measured.line(name, 'yaml.SafeLoader')}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--points", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_grids(folder, options.points, options.rounds)
        print_draws(folder, min(max(options.points), MOST_WRITTEN), options.rounds)
        print()
        for kind in KINDS:
            sizes = (write_grid(folder, kind, points) for points in (10_000, 100))
            print(f"{kind}: {bytes_a_point(*sizes):,.0f} bytes a point beyond the first")
        print_yaml()


if __name__ == "__main__":
    main()
