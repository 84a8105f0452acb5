"""Substitutes for the artifacts of any method, as the setting `substitutes` names them: `ARTIFACT=WHAT`.

WHAT is `none`, a data set from all of whose subjects the artifact is made, or a control of the artifact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datasets.catalogue import dataset_names, describe
from platform.config.configuration import Configuration, Plan
from platform.errors import UserError, unknown_name
from platform.experiments.rows import STORED_SOURCES
from platform.models.artifact import Artifact
from platform.runs.fold_tasks import PlannedData, Substitutes, machine_of, source_substitute
from platform.runs.planned_tasks import NOTHING, Substitute, declared_artifacts

NOTHING_INSTEAD = "none"


def asked_substitutes(plan: Plan) -> dict[str, str]:
    """Artifact to what replaces it. UserError: another form, or an artifact that is named twice."""
    asked: dict[str, str] = {}
    for text in plan.substitutes:
        name, equals, what = (part.strip() for part in text.partition("="))
        if not (name and equals and what):
            raise UserError(
                f"a substitute is written ARTIFACT=none, ARTIFACT=DATASET or ARTIFACT=CONTROL, but got "
                f"{text!r}; correct --substitutes."
            )
        if name in asked:
            raise UserError(f"{name} can have one substitute only; remove one from --substitutes.")
        asked[name] = what
    return asked


def source_sets(plan: Plan) -> tuple[str, ...]:
    """The data sets from which artifacts are taken. UserError as `asked_substitutes`."""
    return tuple(dict.fromkeys(what for what in asked_substitutes(plan).values() if what in dataset_names()))


def check_substitutes(plan: Plan, configurations: Iterable[Configuration]) -> None:
    """UserError: an artifact that none of the methods declares, or the data set of the rows as a source."""
    asked = asked_substitutes(plan)
    if not asked:
        return
    known = {name for one in configurations for name in declared_artifacts(one)}
    for name in asked:
        if not known:
            raise UserError(
                f"--substitutes names {name}, but no method of this command has artifacts; remove it."
            )
        if name not in known:
            raise unknown_name("artifact", name, known)
    if plan.dataset in asked.values():
        raise UserError(
            f"a substitute is another data set's, but --substitutes names {plan.dataset}, which the rows are "
            "on; name another data set."
        )


def substitutes_of_setting(
    configuration: Configuration, plan: Plan, data: Iterable[PlannedData]
) -> tuple[Substitutes, str]:
    """What replaces the artifacts of this method, and the difference from the method in words.

    data: the opened data sets, those of `source_sets` among them. UserError: nothing in the place of an
    artifact that the method needs, or what the options bring along.
    """
    declared = declared_artifacts(configuration)
    asked = {name: what for name, what in asked_substitutes(plan).items() if name in declared}
    opened = {one.data.dataset: one for one in data}
    made = {
        name: _substitute(declared[name], what, configuration, plan, opened) for name, what in asked.items()
    }
    # A row has columns of its own for the sources of these.
    words = [
        _in_words(declared[name], what) for name, what in asked.items() if name not in STORED_SOURCES.values()
    ]
    return made, ", ".join(words)


def _substitute(
    artifact: Artifact,
    what: str,
    configuration: Configuration,
    plan: Plan,
    opened: Mapping[str, PlannedData],
) -> Substitute:
    if what == NOTHING_INSTEAD:
        if not artifact.optional:
            raise UserError(
                f"the method {configuration.method} cannot do without its {artifact.title}, but "
                f"--substitutes has {artifact.name}=none; name a data set or a control."
            )
        return NOTHING
    if what in opened:
        return source_substitute(artifact.name, opened[what], configuration, machine_of(plan))
    return Substitute(shown=what, control=what)


def _in_words(artifact: Artifact, what: str) -> str:
    if what == NOTHING_INSTEAD:
        return f"without {artifact.title}"
    return (
        f"{artifact.title} of {describe(what).title}"
        if what in dataset_names()
        else f"{what} {artifact.title}"
    )
