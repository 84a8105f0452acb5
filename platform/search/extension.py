"""Target number of trials of a study: as planned, or extended after it finished (`--extend`).

The study stores the target and whether the experiment has finished since. A command that adds ten trials
therefore adds them once, however often it is killed and restarted; run again after it has finished, it adds
ten more.
"""

from __future__ import annotations

from typing import Any

import optuna

from platform.errors import UserError

ATTRIBUTE = "wanted"
BASELINES = "baselines"
"""Key of that attribute for the trials of each baseline's study; absent unless baselines are tuned."""


def wanted_trials(study: optuna.Study | None, planned: int, extend: int) -> int:
    """Target number of trials; `study` is None before the first start. Read-only.

    UserError: fewer than the study already has; or `extend` on a study that is not finished or is being
    extended by another number.
    """
    record: dict[str, Any] = study.user_attrs.get(ATTRIBUTE, {}) if study is not None else {}
    if not extend:
        # A restart completes an interrupted extension, with or without --extend.
        wanted = max(planned, int(record["trials"])) if record.get("extended_by") else planned
        refuse_fewer(study, wanted)
        return wanted
    if study is None or not record:
        raise UserError(
            "--extend adds trials to a finished study, but no study of this name exists; run the command "
            "without --extend first, or pass the --name of the study."
        )
    if record["done"]:
        return int(record["trials"]) + extend
    if record["extended_by"] == extend:
        return int(record["trials"])
    way = f"being extended by {record['extended_by']}" if record["extended_by"] else "not finished"
    raise UserError(
        f"--extend {extend} adds trials to a finished study, but {study.study_name} is {way} (to "
        f"{record['trials']} trials); run the command without --extend first."
    )


def wanted_of_baselines(study: optuna.Study | None, planned: int, extend: int) -> int:
    """Target number of trials of each baseline's studies; `study` is the method's, whose record holds both.

    `extend` adds as many as to the method's studies. Read-only; `wanted_trials` refuses what is not possible.
    """
    record: dict[str, Any] = study.user_attrs.get(ATTRIBUTE, {}) if study is not None else {}
    before = int(record.get(BASELINES, 0))
    if not (planned and before):
        return planned
    if extend and record["done"]:
        return before + extend
    return max(planned, before) if record["extended_by"] else planned


def refuse_fewer(study: optuna.Study | None, wanted: int, flag: str = "--trials") -> None:
    """UserError if more trials than `wanted`, the value of `flag`, have begun. Read-only."""
    waiting = optuna.trial.TrialState.WAITING  # enqueued, not started
    trials = study.get_trials(deepcopy=False) if study is not None else []
    begun = sum(trial.state != waiting for trial in trials)
    if study is not None and wanted < begun:
        raise UserError(
            f"a study keeps all its trials: {study.study_name} has {begun}, but {flag} is {wanted}; pass "
            f"{flag} {begun} or more, or --name with a new name."
        )


def record_wanted(study: optuna.Study, trials: int, extend: int, baselines: int = 0) -> None:
    """Store the target number of trials before the first one starts; `baselines`: of each baseline's study.

    Both are in one record, so that no kill can extend one search and not the other.
    """
    before: dict[str, Any] = study.user_attrs.get(ATTRIBUTE, {})
    extended_by = extend or (before.get("extended_by", 0) if before.get("trials") == trials else 0)
    record = {"trials": trials, "extended_by": extended_by, "done": False}
    if baselines:
        record[BASELINES] = baselines
    if before != {**record, "done": True} or extend:
        study.set_user_attr(ATTRIBUTE, record)


def record_end(study: optuna.Study) -> None:
    """Store that the experiment has finished, including its final fold runs."""
    study.set_user_attr(ATTRIBUTE, {**study.user_attrs[ATTRIBUTE], "done": True})
