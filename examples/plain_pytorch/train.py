"""A plain PyTorch training with DistributedDataParallel, and five calls of `pcm.script`."""

import argparse
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import pcm.script as run


def main() -> None:
    """Fit a small network to a noisy sine, on as many ranks as there are."""
    options = parse()
    # torchrun's variables are set, so this is what it would be under torchrun.
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.manual_seed(options.seed)
    model = nn.Sequential(nn.Linear(1, options.width), nn.Tanh(), nn.Linear(options.width, 1))
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
    first = restore(model, optimizer)
    for step in range(first + 1, options.steps + 1):
        x, y = batch(options.seed, step)
        loss = nn.functional.mse_loss(parallel(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(step, {"loss": loss.item()}, total=options.steps)
        if all_stop():
            save(model, optimizer, step)
            run.stop()
    x, y = batch(options.seed, 0)
    run.finish({"val/loss": nn.functional.mse_loss(model(x), y).item()})
    dist.destroy_process_group()


def parse() -> argparse.Namespace:
    """The command line, which the grid file fills in."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def batch(seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples of one step and this rank alone: the same whether or not it was interrupted."""
    source = torch.Generator().manual_seed(hash((seed, step, run.rank)))
    x = 6 * torch.rand(64, 1, generator=source) - 3
    return x, torch.sin(x) + 0.1 * torch.randn(64, 1, generator=source)


def all_stop() -> bool:
    """Whether rank 0 has been asked to stop; all ranks learn it at the same step."""
    asked = torch.tensor(float(run.rank == 0 and run.should_stop()))
    dist.broadcast(asked, 0)
    return bool(asked)


def restore(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Go on from the newest checkpoint; returns its step, 0 without one."""
    path = run.checkpoint()
    if path is None:
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def save(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write a checkpoint, on rank 0."""
    if run.rank == 0 and run.run_dir is not None:
        path = run.run_dir / "new.pt"
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
        torch.save(state, path)
        run.save(path, step)


if __name__ == "__main__":
    main()
