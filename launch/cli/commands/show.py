"""`pcm show`: one experiment, all there is to know."""

from typing import Any

from launch.cli.options import Json, RunsDir, SweepOrId


def show(word: SweepOrId, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Show all there is to know of one experiment.

    Or of each experiment of a sweep.

    \b
    Examples:
      pcm show 3f2a
      pcm show quickstart
    """
    from launch.report.experiment import experiment_record
    from launch.report.several import answer_for_each, print_records
    from launch.report.terminal import note
    from launch.status.looking import lines_of
    from launch.store.finding import find_experiments, open_store, stands_for_one

    store = open_store(runs_dir)
    experiments = find_experiments(store, [word])
    lines = lines_of(experiments, note)
    if as_json:
        pairs = zip(experiments, lines, strict=True)
        records = [experiment_record(each, line.status) for each, line in pairs]
        print_records(records, is_one=stands_for_one(store, word))
        return
    answer_for_each(
        experiments, lines, lambda each, line: _print(experiment_record(each, line.status))
    )


def _print(record: dict[str, Any]) -> None:
    from launch.report.experiment import attempts_table, headlines
    from launch.report.table import print_table
    from launch.report.terminal import print_facts, say

    say(record["name"])
    print_facts(headlines(record))
    if record["attempts"]:
        print_table(attempts_table(record["attempts"]))
