"""Console output of the run commands: plan, dry run and final screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.search_checks import front_lines, search_lines, unscored_trial_lines

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment
    from platform.reports.publish import Presentation

SCORED_ON = {
    "inner": "scored on inner validation subjects only",
    "nested": "scored on inner validation subjects of that fold only",
    "test": "scored on the TEST folds: leakage, only to show the gap",
}


def print_plan(experiment: Experiment, *, search: bool) -> None:
    """The resolved settings and what they mean, before anything runs."""
    from platform.config.configuration import to_dict
    from platform.config.net_name import net_name, preset_text
    from platform.config.settings_file import show

    plan, planned = experiment.plan, experiment.planned
    print(f"# {experiment.name}: resolved settings (stored in {shown(experiment.folder / 'config.yaml')})")
    print(show(experiment.configuration, plan), end="")
    subjects, images = len(planned.images_of_subject), sum(planned.images_of_subject.values())
    print(
        f"# {plan.dataset}: {images} images of {subjects} subjects, {len(planned.data.class_names)} classes, "
        f"{len(planned.folds.folds)} folds (rule {planned.folds.rule})"
        + (f", of which only {', '.join(map(str, plan.folds_only))} run" if plan.folds_only else "")
    )
    net = net_name(experiment.configuration.backbone, experiment.configuration.backbone_width)
    print(f"# preset {preset_text(experiment.preset, to_dict(experiment.configuration))}; net {net}")
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
    target = experiment.target.data.dataset if experiment.target else "none"
    print(f"# mask transfer to: {target}", flush=True)


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
    from platform.reports.publish import TABLE_PURPOSE

    lines = final_lines(
        presentation.text,
        presentation.conclusions,
        details=[*front_lines(content), *further],
        failures=unscored_trial_lines(content),
        report=shown(presentation.report),
        next_command=presentation.next_commands[TABLE_PURPOSE],
    )
    print("", *lines, sep="\n")


def shown(path: Path) -> str:
    """The path as a person would type it in the working directory."""
    from platform.reports.publish import shown_path

    return shown_path(path)
