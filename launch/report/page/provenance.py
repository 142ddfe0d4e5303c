"""Which code, image and machines a sweep ran with, as far as it is recorded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from launch.damage import whole
from launch.report.efficiency import memory_text
from launch.results.usage import Used
from launch.store import Experiment, LaunchDir
from launch.store.records import newest_attempt, read_record
from launch.text import counted


def provenance(experiments: Sequence[Experiment], used: Sequence[Used]) -> list[list[str]]:
    """Label and text, of all launches and newest attempts together."""
    launches = list(dict.fromkeys(each.launch for each in experiments))
    facts = [_facts(launch) for launch in launches]
    hosts = Counter(_host(each) for each in experiments)
    hosts.pop("", None)
    asked = Counter(_asked(each) for each in experiments)
    found = [
        ["launches", ", ".join(launch.id for launch in launches)],
        ["pcm", _each(fact["pcm"] for fact in facts)],
        ["code", _each(fact["code"] for fact in facts)],
        ["image", _each(fact["image"] for fact in facts)],
        ["asked for", _tally(asked)],
        ["machines", _tally(hosts)],
        ["used", _used(used)],
    ]
    return [[label, text] for label, text in found if text]


def _facts(launch: LaunchDir) -> dict[str, str]:
    record: dict[str, Any] = whole(launch.read_record()) or {}
    code, image = record.get("code") or {}, record.get("container") or {}
    edited = " with uncommitted edits (code.diff)" if code.get("dirty") else ""
    sha256 = image.get("sha256")
    return {
        "pcm": record.get("pcm_version") or "",
        "code": f"commit {code['commit']}{edited}" if code.get("commit") else "",
        "image": " ".join(
            filter(None, [str(image.get("image") or ""), f"sha256 {sha256}" if sha256 else ""])
        ),
    }


def _host(experiment: Experiment) -> str:
    attempt = newest_attempt(experiment.run_dir)
    return "" if attempt is None else str(read_record(attempt.attempt).get("host") or "")


def _asked(experiment: Experiment) -> str:
    ranks, gpus = experiment.world_size, experiment.resources.gpus
    return counted(ranks, "rank") + (f", {counted(gpus, 'GPU')}" if gpus else "")


def _used(all_used: Sequence[Used]) -> str:
    """Cores, memory and GPUs that they kept busy, as far as it was noted."""
    known = [used for used in all_used if used.samples]
    cores = [used.cores for used in known if used.cores is not None]
    memory = [used.memory_mb for used in known if used.memory_mb is not None]
    gpus = [used.gpu_percent for used in known if used.gpu_percent is not None]
    waits = [used.data_percent for used in known if used.data_percent is not None]
    parts = [
        f"{sum(cores) / len(cores):.1f} cores on average" if cores else "",
        f"at most {memory_text(max(memory))} of a node's memory" if memory else "",
        f"GPUs for {sum(gpus) / len(gpus):.0f} % of the time" if gpus else "",
        f"waiting for data for {sum(waits) / len(waits):.0f} % of the time" if waits else "",
    ]
    return ", ".join(filter(None, parts))


def _tally(counts: "Counter[str]") -> str:
    shown = [f"{name} ({count:,})" for name, count in counts.most_common(12)]
    more = len(counts) - len(shown)
    return ", ".join([*shown, f"{more:,} more"] if more > 0 else shown)


def _each(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))
