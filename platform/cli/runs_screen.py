"""What `python -m platform.runs` prints: lines for a terminal, from the facts of platform/inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.sizes_text import bytes_text
from platform.host.console import one_line
from platform.host.launcher import pasteable

if TYPE_CHECKING:
    from platform.inventory.comparison import ExperimentComparison
    from platform.inventory.garbage import GarbagePlan
    from platform.inventory.listing import ListedExperiment
    from platform.inventory.removal import RemovalPlan
    from platform.inventory.sizes import Sizes
    from platform.inventory.status import Status
    from platform.runs.store import ResultsStore

FAILURES_SHOWN = 5
PATHS_SHOWN = 20
DRY = "Nothing was removed: --delete does it."


def grid(header: Sequence[str], lines: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Columns of equal width; `right`: numbers of the columns that are aligned to the right."""
    cells = [header, *([one_line(cell) for cell in line] for line in lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def list_lines(experiments: Sequence[ListedExperiment], root: Path) -> list[str]:
    """One line an experiment, and what the columns mean."""
    if not experiments:
        return [f"There is no experiment in {root}. `python -m platform.tune` makes one."]
    lines = [
        (
            one.name,
            one.state,
            one.method,
            one.dataset,
            "" if one.score is None else f"{100 * one.score:.2f}",
            f"{one.hours:.2f}",
            bytes_text(one.size_bytes),
        )
        for one in experiments
    ]
    header = ("experiment", "state", "method", "data set", "score %", "hours", "size")
    notes = [f"{one.name}: {one_line(one.note)}" for one in experiments if one.note]
    return [
        *grid(header, lines, right=(4, 5, 6)),
        "",
        "score: accuracy of the first row, mean of its folds. hours: of all fold runs, one after another.",
        "size: the folder and the fold runs of the rows (`du` says what is shared).",
        *notes,
    ]


def status_lines(status: Status) -> list[str]:
    """Progress, failures and the estimated end."""
    led = f", led by {status.driver.driver}" if status.driver else ""
    lines = [f"{status.name}: {status.state}{led}"]
    if status.runs_wanted:
        lines.append(f"final fold runs: {status.runs_done} of {status.runs_wanted} are stored")
    elif status.state == "interrupted":
        lines.append("final fold runs: not known before the search has chosen")
    lines += _progress_lines(status)
    shown = status.failures[:FAILURES_SHOWN]
    if shown:
        lines.append(f"failed: {len(status.failures)}")
        lines += [f"  {one_line(one.label)}: {one_line(one.reason)} ({one.where})" for one in shown]
        more = len(status.failures) - len(shown)
        lines += [f"  and {more} more"] if more else []
    if status.command and status.state in ("interrupted", "failed"):
        lines.append(f"continue with: {one_line(pasteable(status.command))}")
    return lines


def _progress_lines(status: Status) -> list[str]:
    progress = status.progress
    if progress is None:
        why = "its driver has not stated any yet" if status.driver else "its driver stated none"
        return [f"progress: {why}"] if status.state != "finished" else []
    counts = progress.counts
    done = (
        f"{counts.get('runs_done', '?')} of up to {counts.get('runs_expected', '?')} runs done, "
        f"{counts.get('runs_running', '?')} running, {counts.get('runs_failed', '?')} failed, "
        f"{counts.get('runs_reused', '?')} cached"
    )
    when = f"stated {progress.time.replace('T', ' ').replace('+00:00', '')} UTC"
    lines = [f"last driver, {one_line(progress.phase) or 'start'}: {done} ({when})"]
    lines.append(f"elapsed: {_duration(progress.elapsed_seconds)}")
    if status.driver:
        lines[-1] += f", about {_duration(progress.seconds_left)} remaining"
        lines.append(f"estimated end: {progress.estimated_end}")
    if progress.best:
        lines.append(f"best: {one_line(progress.best)}")
    return lines


def _duration(seconds: float) -> str:
    from platform.host.durations import duration

    return duration(seconds)


def size_lines(sizes: Sizes) -> list[str]:
    """Bytes by kind, then by experiment."""
    kinds = [(name, bytes_text(size)) for name, size in sizes.kinds.items() if size]
    lines = grid(("what", "size"), [*kinds, ("all", bytes_text(sizes.total_bytes))], right=(1,))
    if sizes.experiments:
        rows = [
            (one.name, bytes_text(one.folder_bytes), bytes_text(one.own_bytes), bytes_text(one.shared_bytes))
            for one in sizes.experiments
        ]
        header = ("experiment", "folder", "own results", "shared results")
        lines += ["", *grid(header, rows, right=(1, 2, 3))]
    lines += ["", f"shared between experiments: {bytes_text(sizes.shared_bytes)}"]
    unreferenced = f"results of no experiment: {bytes_text(sizes.unreferenced_bytes)}"
    return [*lines, unreferenced + (" (`gc` removes them)" if sizes.unreferenced_bytes else "")]


def shown_lines(
    store: ResultsStore, folder: Path, experiment: Mapping[str, Any] | None, settings: Mapping[str, Any]
) -> list[str]:
    """Settings, rows and places; experiment: the content of experiment.json, None before a search has chosen.

    Scores are not among them: the table follows.
    """
    facts = [("experiment", folder.name), ("folder", str(folder))]
    if experiment is not None:
        facts += [(key, str(experiment[key])) for key in ("command", "dataset", "preset", "selection_rule")]
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:{width}}  {one_line(pasteable(value))}" for name, value in facts]
    if settings:
        width = max(map(len, settings))
        lines += [
            "",
            "settings:",
            *(f"  {name:{width}}  {one_line(str(settings[name]))}" for name in settings),
        ]
    lines += ["", "files:", *(f"  {path.name}{'/' * path.is_dir()}" for path in sorted(folder.iterdir()))]
    from platform.experiments.experiment_file import seed_words

    for row in experiment["rows"] if experiment else ():
        net = row["backbone"] + seed_words(row, experiment or {})
        lines += ["", one_line(f"fold runs of {row['title']} ({net}) on {row['dataset']}:")]
        lines += [f"  fold {run['fold']:2}  {_place(store, run['identity'])}" for run in row["runs"]]
    return lines


def _place(store: ResultsStore, identity: str | None) -> str:
    if identity is None:
        return "not planned"
    path = store.folder("fold_runs", identity)
    return str(path) if (path / "manifest.json").is_file() else f"{path} (missing)"


def removal_lines(plan: RemovalPlan, store: ResultsStore, *, done: bool) -> list[str]:
    """What went or would go with an experiment, and what stays."""
    lines = [f"{plan.name}: {'removed' if done else 'would remove'}"]
    lines.append(f"  {bytes_text(plan.folder_bytes):>9}  {plan.folder}")
    if plan.results:
        kinds = Counter(kind for kind, _ in plan.results)
        counted = ", ".join(f"{count} in {store.root / kind}" for kind, count in kinds.items())
        lines.append(f"  {bytes_text(plan.results_bytes):>9}  results: {counted}")
    lines.append(f"  {bytes_text(plan.folder_bytes + plan.results_bytes):>9}  all")
    study = [f"kept: the study in {plan.study_stays}"] if plan.study_stays else []
    return [*lines, *_kept_lines(plan.kept), *study, *([] if done else [DRY])]


def garbage_lines(plan: GarbagePlan, *, done: bool) -> list[str]:
    """What went or would go, by kind, the first paths of each, and what stays."""
    lines = []
    for what in dict.fromkeys(one.what for one in plan.garbage):
        group = [one for one in plan.garbage if one.what == what]
        plural = what.replace("result of", "results of") if "result" in what else f"{what}s"
        lines.append(f"{plural}: {len(group)}, {bytes_text(sum(one.size_bytes for one in group))}")
        lines += [f"  {bytes_text(one.size_bytes):>9}  {one.path}" for one in group[:PATHS_SHOWN]]
        more = len(group) - PATHS_SHOWN
        lines += [f"             and {more} more"] if more > 0 else []
    total = bytes_text(sum(one.size_bytes for one in plan.garbage))
    if not plan.garbage:
        return ["Nothing to remove.", *_kept_lines(plan.kept)]
    lines.append(f"{'removed' if done else 'would remove'}: {len(plan.garbage)}, {total}")
    return [*lines, *_kept_lines(plan.kept), *([] if done else [DRY])]


def _kept_lines(kept: Mapping[str, int]) -> list[str]:
    return [f"kept: {count} {'result' if count == 1 else 'results'} ({why})" for why, count in kept.items()]


def comparison_lines(found: ExperimentComparison, first: str, second: str) -> list[str]:
    """Differing settings, then a line for each pair of rows."""
    from platform.evaluation.paired_limits import limits_of
    from platform.tables.comparison_notes import paired_seeds_text
    from platform.tables.formatting import difference_interval, p_value_text, percent, points, row_label

    if found.settings:
        lines = grid(("setting", first, second), found.settings)
    else:
        lines = ["The settings are equal."]
    rows, limits = [], []
    families: dict[str, int] = {}
    for pair in found.rows:
        families[pair.first.first.dataset] = pair.family_size
        labels = dict.fromkeys(row_label(line.first) for line in (pair.first, pair.second))
        rows.append(
            (
                " - ".join(labels),
                pair.first.first.dataset,
                *map(percent, pair.accuracies),
                points(pair.found.difference),
                difference_interval(pair.found.interval),
                p_value_text(pair.holm_p_value),
                paired_seeds_text(pair),
                f"{pair.image_count} {pair.unit}s, {pair.found.subject_count}",
            )
        )
        if sentence := limits_of(pair.found):
            limits.append(f"{' - '.join(labels)} on {pair.first.first.dataset}: {sentence}")
    header = ("row", "data set", first, second, "points", "95 % CI", "p", "seeds", "tested, subjects")
    lines += ["", *grid(header, rows, right=(2, 3, 4, 5, 6))]
    lines += [
        "",
        f"points: pooled accuracy of {first} minus that of {second}, on the same images or sequences.",
        "95 % CI: paired, for new subjects; with several seeds for new subjects and new seeds, with one seed "
        "for these trained nets alone.",
        f"p: two-sided, over subjects (and seeds), Holm-corrected over {_families(families)}.",
        *limits,
    ]
    return [*lines, *(f"not compared: {one_line(sentence)}" for sentence in found.left_out)]


def _families(sizes: Mapping[str, int]) -> str:
    """`2`, or `2 on ckplus, 1 on mmi`."""
    if len(sizes) == 1:
        return str(*sizes.values())
    return ", ".join(f"{size} on {dataset}" for dataset, size in sizes.items())
