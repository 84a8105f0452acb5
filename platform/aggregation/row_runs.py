"""The fold runs of one row: read from the store once, and refused unless they belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.evaluation.predictions import Predictions, concatenate, from_bytes
from platform.experiments.experiment_file import seed_words
from platform.files.json_files import parse_own_json
from platform.models.masks.quality import MaskQuality
from platform.runs.identity import canonical_json

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """One finished fold run of a row."""

    fold: int
    identity: str
    manifest: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def mask_quality(self) -> MaskQuality | None:
        """None for a method that has no target masks."""
        stored = self.manifest.get("mask_quality")
        return None if stored is None else MaskQuality.from_dict(stored)

    @cached_property
    def configuration(self) -> str:
        """The settings as canonical JSON, without the seed."""
        return canonical_json({k: v for k, v in self.record["config"].items() if k != "seed"})


@dataclass(frozen=True, kw_only=True)
class RowRuns:
    """The stored fold runs of a row."""

    name: str
    """Names the row in error messages."""
    finished: tuple[FinishedRun, ...]
    """Ordered by fold."""
    problems: dict[int, str]
    """Fold to its problem (`is missing`, `failed (...)`); empty for a complete row."""

    def common(self, key: Callable[[FinishedRun], Any]) -> Any:
        """`key` of the first finished run, which all others share; None without a finished run."""
        return key(self.finished[0]) if self.finished else None


def read_row_runs(store: ResultsStore, experiment: Mapping[str, Any], row: Mapping[str, Any]) -> RowRuns:
    """The fold runs of a row (a mapping as in experiment.json).

    Raises UserError naming the row and the folds when a fold is listed twice or out of range, when a
    manifest was edited, when a run belongs to another row, or when the runs differ in data hash, seed, result
    version or configuration (which may differ under `nested`).
    """
    seed = seed_words(row, experiment)
    name = f"{row['title']} ({row['backbone']}, {row['dataset']}{seed}) of experiment {experiment['name']!r}"
    finished, problems = [], {}
    for fold, identity in _identity_of_fold(row, name).items():
        manifest = store.manifest("fold_runs", identity) if identity else None
        if manifest is None:
            problems[fold] = "is missing"
        elif manifest["status"] != "complete":
            lines = manifest.get("traceback", "").strip().splitlines()
            problems[fold] = f"failed ({lines[-1] if lines else 'no traceback'})"
        else:
            assert identity is not None
            content = store.read("fold_runs", identity, "record.json", manifest)
            record = parse_own_json(content, f"the record of fold run {identity}")
            finished.append(FinishedRun(fold=fold, identity=identity, manifest=manifest, record=record))
    runs = RowRuns(name=name, finished=tuple(finished), problems=problems)
    _check_belonging(runs, row)
    _check_one_kind(runs, row)
    return runs


def read_predictions(store: ResultsStore, runs: RowRuns, row: Mapping[str, Any]) -> Predictions | None:
    """The concatenated predictions of the finished folds; None without a finished fold.

    Raises UserError on an edited file, unknown classes, an image predicted twice, and images of another data
    set or fold.
    """
    parts = []
    for run in runs.finished:
        path = store.folder("fold_runs", run.identity) / "predictions.parquet"
        part = from_bytes(store.read("fold_runs", run.identity, path.name, run.manifest), str(path))
        folds, datasets = sorted(set(part.fold.tolist())), sorted(set(part.dataset.tolist()))
        if folds != [run.fold] or datasets != [row["dataset"]]:
            raise UserError(
                f"{runs.name}, fold {run.fold}: {path} must hold only images of {row['dataset']} tested by "
                f"fold {run.fold}, but holds folds {folds} of {', '.join(datasets)}; remove its folder and "
                "run the experiment's command again."
            )
        parts.append(part)
    if not parts:
        return None
    try:
        return concatenate(parts)
    except UserError as error:
        raise UserError(f"{runs.name}: {error}") from error


def _identity_of_fold(row: Mapping[str, Any], name: str) -> dict[int, str | None]:
    """Fold index to the identity of its fold run, None where the row lists none.

    Keys: folds 0 to fold_count - 1, or the requested folds.
    """
    wanted = [int(fold) for fold in row.get("chosen_folds", range(int(row["fold_count"])))]
    identities: dict[int, str | None] = dict.fromkeys(wanted)
    for run in row["runs"]:
        fold = run["fold"]
        if fold not in identities:
            raise UserError(f"{name}: folds must be {_range_text(wanted)}, but fold {fold} is listed.")
        if identities[fold] is not None:
            raise UserError(f"{name}: each fold must be listed once, but fold {fold} is listed twice.")
        identities[fold] = run["identity"]
    return identities


def _range_text(folds: list[int]) -> str:
    """`0 to 9`, or `2, 6` for requested folds."""
    if folds == list(range(len(folds))):
        return f"0 to {len(folds) - 1}"
    return ", ".join(map(str, folds))


def _check_belonging(runs: RowRuns, row: Mapping[str, Any]) -> None:
    """UserError when a fold run belongs to another row, or is not a final run on test folds."""
    for run in runs.finished:
        record = run.record
        wanted = {
            "method": (row["method"], record["method"]),
            "data set": (row["dataset"], record["data"]["dataset"]),
            "fold": (run.fold, record["fold"]["index"]),
            "fold rule": (row["fold_rule"], record["fold"]["rule"]),
            "fold's role": ("final", record["fold"]["role"]),
        }
        for what, (expected, found) in wanted.items():
            if expected != found:
                raise UserError(
                    f"{runs.name}, fold {run.fold}: the {what} of fold run {run.identity} must be "
                    f"{expected!r}, but it is {found!r}; this fold run does not belong here."
                )


def _check_one_kind(runs: RowRuns, row: Mapping[str, Any]) -> None:
    """UserError when the finished folds differ in something that one row must have in common."""
    kinds: dict[str, tuple[str, Callable[[FinishedRun], Any]]] = {
        "data hashes": (
            "the data was prepared again in between",
            lambda run: run.record["data"]["hash"][:12],
        ),
        "result versions": (
            "the code's results changed in between",
            lambda run: run.record["result_version"],
        ),
        "seeds": ("each seed is a row of its own", lambda run: run.record["seed"]),
    }
    if row["selection_rule"] != "nested":  # there each fold selects its own configuration
        kinds["settings"] = ("a row is one configuration", _settings)
    for what, (why, key) in kinds.items():
        fold_of_value: dict[Any, int] = {}
        for run in runs.finished:
            fold_of_value.setdefault(key(run), run.fold)
        if len(fold_of_value) > 1:
            values = _shortened(fold_of_value) if what == "settings" else fold_of_value
            listed = ", ".join(f"fold {fold} has {value}" for value, fold in values.items())
            raise UserError(
                f"{runs.name}: the folds of a row must agree, but their {what} differ ({listed}); "
                f"{why}: run the experiment's command again under a new name."
            )


def _settings(run: FinishedRun) -> str:
    return run.configuration


def _shortened(fold_of_settings: Mapping[str, int]) -> dict[str, int]:
    """Only the differing settings, as text."""
    all_settings = [parse_own_json(text, "settings") for text in fold_of_settings]
    names = sorted(set().union(*all_settings))
    differing = [name for name in names if len({str(one.get(name)) for one in all_settings}) > 1]
    return {
        " and ".join(f"{name} {one.get(name)!r}" for name in differing): fold
        for one, fold in zip(all_settings, fold_of_settings.values(), strict=True)
    }
