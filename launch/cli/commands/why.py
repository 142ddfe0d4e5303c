"""`pcm why`: how an experiment came to be where it is."""

from typing import TYPE_CHECKING

from launch.cli.options import Json, RunsDir, SweepOrId

if TYPE_CHECKING:
    from launch.report.explain import Explanation
    from launch.status.state import Line


def why(word: SweepOrId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Say why an experiment waits, or how it came to its end.

    The queue's reason and expected start; the rank that failed first, the end of its traceback,
    its exit code or signal, and the memory it used. Of a sweep, each experiment's.

    \b
    Examples:
      pcm why 3f2a
      pcm why quickstart
    """
    from launch.notify.noticing import Noticing
    from launch.report.explain import explain
    from launch.report.several import answer_for_each, print_records
    from launch.report.terminal import note
    from launch.status.looking import Looking
    from launch.store.finding import find_experiments, open_store, stands_for_one

    store = open_store(runs_dir)
    experiments = find_experiments(store, [word])
    looking = Looking(note)
    lines = looking.lines(experiments)
    Noticing(looking, note).look(experiments, lines)
    if as_json:
        pairs = zip(experiments, lines, strict=True)
        records = [_record(line, explain(each, line.status)) for each, line in pairs]
        print_records(records, is_one=stands_for_one(store, word))
        return
    answer_for_each(experiments, lines, lambda each, line: _print(line, explain(each, line.status)))


def _record(line: "Line", explanation: "Explanation") -> dict[str, str]:
    return {"id": line.id, **dict(explanation.facts), "text": explanation.text}


def _print(line: "Line", explanation: "Explanation") -> None:
    from launch.report.terminal import print_facts, say

    say(f"{line.id} {line.name}")
    print_facts(explanation.facts)
    if explanation.text:
        say(f"\n{explanation.text}")
