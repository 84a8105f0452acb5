"""Console output of the run commands: plan, dry run and final screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.search_checks import front_lines, search_lines, unscored_trial_lines
from platform.host.launcher import pasteable

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment
    from platform.experiments.rows import Row
    from platform.reports.publish import Presentation

SCORED_ON = {
    "inner": "scored on validation splits only",
    "nested": "scored on validation splits of that fold only",
    "test": "scored on the TEST folds: leakage, to show the optimism gap",
}


def print_plan(
    experiment: Experiment, *, search: bool, changed: Sequence[str] = (), in_full: bool = True
) -> None:
    """Print the plan before anything runs.

    changed: settings that depart from the preset, as `name value`. in_full: print all resolved settings and
    all planned rows too.
    """
    from platform.config.settings_file import show

    plan, stored = experiment.plan, shown(experiment.folder / "config.yaml")
    if in_full:
        print(f"# {experiment.name}: resolved settings (stored in {stored})")
        print(show(experiment.configuration, plan), end="")
    else:
        print(f"# {experiment.name}: settings in {stored} (--verbose prints them)")
    print(f"# preset {experiment.preset}" + (f", changed: {', '.join(changed)}" if changed else ""))
    for line in (*experiment.computing, *experiment.remarks):
        print(f"# {pasteable(line)}")
    if experiment.rows:
        _print_rows(experiment.rows, in_full=in_full)
    else:
        _print_data(experiment)
    if search:
        studies = experiment.scopes
        per_study = "" if len(studies) == 1 else f"{len(studies)} studies (one an outer fold) x "
        print(
            f"# search: {per_study}{plan.trials} trials x up to {len(studies[0].steps)} fold runs (space "
            f"{plan.space}, {SCORED_ON[plan.selection_rule]}), then all folds of the winner and of "
            f"{len(plan.baselines)} baselines"
        )
        for line in search_lines(plan, experiment.configuration, len(studies[0].steps)):
            print(f"# {line}")
    if plan.seeds > 1:
        print(f"# {_seeds_line(experiment, search=search)}")
    if not experiment.rows:
        for line in _baseline_lines(experiment, search=search):
            print(f"# {line}")
    print(flush=True, end="")


def _seeds_line(experiment: Experiment, *, search: bool) -> str:
    """With which seeds every row runs, and which of them the search uses."""
    from platform.config.training_seeds import named_seeds, training_seeds

    seeds = training_seeds(experiment.configuration.seed, experiment.plan.seeds)
    own = f"; the search uses seed {seeds[0]} alone" if search else ""
    return f"training: every row with {named_seeds(seeds)}{own}"


def _baseline_lines(experiment: Experiment, *, search: bool) -> list[str]:
    """Whose settings the baselines run with."""
    from platform.config.presets import source_of_baseline

    configuration, plan = experiment.configuration, experiment.plan
    names = [name for name in dict.fromkeys(plan.baselines) if name != configuration.method]
    if not names:
        return []
    if not plan.tune_baselines:
        whose = "the winner's" if search else f"those of {configuration.method}"
        sources = [source_of_baseline(configuration, name, plan, whose).describe() for name in names]
        return [f"settings of {name}: {source}" for name, source in zip(names, sources, strict=True)]
    lines = []
    for one in experiment.searches[1:]:
        per_study = "" if len(one.scopes) == 1 else f"{len(one.scopes)} studies x "
        lines.append(
            f"baseline {one.method}, with a search of its own: {per_study}{one.plan.trials} "
            f"{'trial' if one.plan.trials == 1 else 'trials'} x up to {len(one.scopes[0].steps)} fold runs "
            f"(space {one.plan.space})"
        )
    return lines


def _print_data(experiment: Experiment) -> None:
    from platform.config.net_name import net_name
    from platform.models import load_method

    plan, planned = experiment.plan, experiment.planned
    subjects, images = len(planned.images_of_subject), sum(planned.images_of_subject.values())
    count = sum(planned.sequences_of_subject.values())
    sequences = f" and {count} sequences" if count else ""
    print(
        f"# {plan.dataset}: {images} images{sequences} of {subjects} subjects, "
        f"{len(planned.data.class_names)} classes, {len(planned.folds.folds)} folds "
        f"(rule {planned.folds.rule})"
        + (f", of which only {', '.join(map(str, plan.folds_only))} run" if plan.folds_only else "")
    )
    if experiment.repeats:
        rules = ", ".join(dict.fromkeys(one.data.folds.rule for one in experiment.repeats))
        count = len(experiment.repeats)
        further = f"{count} further division{'s' * (count > 1)}"
        print(f"# repeats: every row also on {further} of these subjects (rule {rules})")
    one = experiment.configuration
    net = net_name(load_method(one.method).net(one), getattr(one, "backbone_width", 1.0))
    print(f"# net: {net}")
    print(f"# mask transfer to: {experiment.target.data.dataset if experiment.target else 'none'}")


def _print_rows(rows: Sequence[Row], *, in_full: bool) -> None:
    if not in_full:
        sets = dict.fromkeys(row.tasks[0].data.dataset for row in rows)
        runs = sum(len(row.tasks) for row in rows)
        divisions = 1 + max(row.repeat for row in rows)
        divided = f" and {divisions} divisions of the subjects" if divisions > 1 else ""
        print(
            f"# {len(rows)} rows on {', '.join(sets)}{divided}: {runs} fold runs (--verbose lists the rows)"
        )
        return
    from platform.config.training_seeds import named_seeds

    several = len({row.configurations[0].seed for row in rows}) > 1
    seeds: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        described = row.describe("paper")
        rule = str(described["fold_rule"]) + (f", repeat {row.repeat}" if row.repeat else "")
        count = "1 fold run" if len(row.tasks) == 1 else f"{len(row.tasks)} fold runs"
        line = (
            f"{described['title']} ({row.net}) on {described['dataset']}: {count}",
            f"(rule {rule}), masks {described['masks']}, stage 1 {described['generator']}",
        )
        seeds.setdefault(line, []).append(row.configurations[0].seed)
    for (start, rest), found in seeds.items():
        print(f"# row: {start}{f' for each of {named_seeds(found)}' if several else ''} {rest}")


def print_dry_run(experiment: Experiment, *, search: bool) -> None:
    """Print fold runs, resources and estimates."""
    from platform.cli.forecast import forecast, resources

    print(f"# resources: {resources(experiment, search=search)}")
    for line in forecast(experiment, search=search):
        print(f"# {line}")
    print("# dry run: nothing was run")


def write_presentation(experiment: Experiment, content: dict[str, Any]) -> Presentation:
    """Write tables, figures and report. A command writes all files before it prints results."""
    from platform.experiments.driver_lease import check_leading
    from platform.reports.contact_sheet import write_contact_sheet
    from platform.reports.publish import present

    sheet = experiment.folder / "figures" / "faces.png"
    check_leading(sheet)
    write_contact_sheet(Path(experiment.planned.data.folder), sheet)
    return present(experiment.store, content, {"Faces: a sample of subjects and classes": sheet})


def print_presentation(
    content: dict[str, Any], presentation: Presentation, further: Sequence[str] = ()
) -> None:
    """Print the final screen: table, conclusions, report, next command (platform/cli/final_screen.py).

    further: results of the command beside the table, a line each.
    """
    from platform.cli.final_screen import final_lines
    from platform.reports.next_commands import TABLE_PURPOSE, WINNER_PURPOSE

    commands = presentation.next_commands
    lines = final_lines(
        presentation.text,
        presentation.conclusions,
        details=[*front_lines(content), *further],
        failures=unscored_trial_lines(content),
        report=shown(presentation.report),
        winner=_winners_line(presentation.winners),
        next_command=commands.get(WINNER_PURPOSE) or commands[TABLE_PURPOSE],
    )
    print("", *lines, sep="\n")


def _winners_line(files: Sequence[Path]) -> str:
    """The file of the chosen configuration; under the rule `nested`, which has one for each fold, the first
    and the last."""
    if len(files) < 2:
        return "".join(map(shown, files))
    return f"{shown(files[0])} to {files[-1].name} (--config of crossval takes one: a fold's own choice)"


def shown(path: Path) -> str:
    """The path as a person would type it in the working directory."""
    from platform.reports.next_commands import shown_path

    return shown_path(path)
