"""`pcm eff`: what was asked of the machine, and what was used of it."""

from launch.cli.options import Json, RunsDir, SweepsOrIds


def eff(words: SweepsOrIds, *, runs_dir: RunsDir = None, as_json: Json = False) -> None:
    """Compare what experiments asked for with what they used.

    Cores that were busy in the mean, the most memory of a node, the longest attempt, GPUs; then
    what to ask for next time, as a line of a grid file.

    \b
    Examples:
      pcm eff quickstart
      pcm eff 3f2a --json
    """
    from launch.report.efficiency import advice_text, efficiency_record, efficiency_table
    from launch.report.table import print_table
    from launch.report.terminal import note, print_json, say
    from launch.results.taking import efficiency_of
    from launch.store.finding import find_experiments, open_store

    found = efficiency_of(find_experiments(open_store(runs_dir), words), note)
    if as_json:
        print_json(efficiency_record(found.taken, found.advices))
        return
    print_table(efficiency_table(found.taken))
    say(advice_text(found.taken, found.advices))
