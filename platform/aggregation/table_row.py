"""A row of the comparison table: one method on one data set in one experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from platform.aggregation.mask_errors import MaskComparison, MaskSums
from platform.aggregation.optimism_gap import GapSubjects, gap_interval
from platform.aggregation.scores import Scores
from platform.config.net_name import net_name
from platform.config.settings_source import UNKNOWN, SettingsSource
from platform.evaluation.subject_interval import StatisticInterval
from platform.models.masks.quality import MaskQuality
from platform.runs.identity import RESULT_VERSION

EQUAL_SCORES = 1e-9
"""Accuracies as near as this are equal: a single image changes them by far more."""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """What the table says about one method on one data set in one experiment."""

    experiment: str
    preset: str
    command: str
    """Completes the row when it is run again."""
    method: str
    title: str
    dataset: str
    backbone: str
    selection_rule: str
    kind: str
    """`crossval` or `transfer`."""
    masks: str
    """`own`: masks of the fold's own training subjects; else the source of the masks (a data set, a control
    or a release), or `none`."""
    fold_rule: str
    fold_count: int
    problems: dict[int, str]
    """Fold to its problem (missing, failed); empty for a complete row."""
    data_hash: str | None
    """Of the prepared set; None when no fold is finished."""
    seed: int | None
    """Of all folds; None when no fold is finished and the experiment does not state it."""
    result_version: int | None
    """Of the code that computed the fold runs; None when no fold is finished."""
    configurations: str | None
    """Hash over the configurations of the folds without the seed. None when no fold is finished, and for an
    incomplete row whose folds each have a configuration of their own."""
    selection_score: float | None
    """Mean accuracy that selected the configuration, in [0, 1]; None where no score selected it."""
    scores: Scores | None
    """None when no fold is finished."""
    stands_for: str = ""
    """The data set that a release is of; empty for others."""
    width: float | None = 1.0
    """Share of the classification net's channels that is kept; None where folds differ."""
    preset_changes: str = ""
    """Departures from the preset, as text that follows the preset's name."""
    chosen_folds: tuple[int, ...] = ()
    """The requested folds, where the user requested only some."""
    chosen_of: int = 0
    """Number of folds of the plan, where the user requested only some; else 0."""
    settings: SettingsSource = UNKNOWN
    """Whose settings it ran with."""
    unit: str = "image"
    """What the method scores, `image` or `sequence`: all of the row's `scores` count these."""
    generator: str = ""
    """Source of the pretrained mask generator: `own`, a data set, `none`; empty where it is not stored."""
    repeat: int = 0
    """Number of the division of the subjects into folds; 0 is the rule's own."""
    variation: str = ""
    """Difference from the method as published; part of the title."""
    is_baseline: bool = False
    """Whether its method is another one than that of its experiment."""
    fold_runs: str = ""
    """Hash over the identities of its finished fold runs; empty without one."""
    mask_quality: dict[int, MaskQuality]
    """Finished fold to the quality of its predicted masks; empty for a method without target masks."""
    masks_recomputed: tuple[int, ...] = ()
    """The folds among them whose quality was recomputed from stored errors of single faces."""
    mask_comparison: MaskComparison | None = None
    """Predicted masks against the constant mask; None unless all of these folds were recomputed."""
    mask_sums: MaskSums | None = field(default=None, compare=False, repr=False)
    """What `mask_comparison` is computed from, to be joined with those of other seeds."""
    gap_subjects: GapSubjects | None = field(default=None, compare=False, repr=False)
    """Each subject's part in the optimism gap; None for an incomplete row, and where no score selected the
    configuration or it cannot be recomputed."""

    @property
    def complete(self) -> bool:
        """Whether every fold run is finished."""
        return not self.problems

    @property
    def scores_sequences(self) -> bool:
        """Whether a sequence has one prediction, and images have none."""
        return self.unit == "sequence"

    @property
    def preset_text(self) -> str:
        """The preset, and departures from it."""
        return self.preset + self.preset_changes

    @property
    def reported_as(self) -> str:
        """The data set whose reported numbers are comparable with this row."""
        return self.stands_for or self.dataset

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """Indices of the row's folds."""
        return self.chosen_folds or tuple(range(self.fold_count))

    @property
    def net(self) -> str:
        """The classification net, with its width where that is not the published one."""
        return net_name(self.backbone, self.width)

    @property
    def leaks(self) -> bool:
        """Whether the test folds themselves selected the configuration."""
        return self.selection_rule == "test" and not self.chosen_elsewhere

    @property
    def chosen_elsewhere(self) -> bool:
        """Whether a search on the source data set of a transfer selected the configuration."""
        return self.kind == "transfer" and self.selection_rule != "paper"

    @property
    def of_other_version(self) -> bool:
        """Whether another version of the code computed the fold runs."""
        return self.result_version not in (None, RESULT_VERSION)

    @property
    def repeat_count(self) -> int:
        """How often each image is tested: once, because a row that tests an image twice is refused."""
        return 1

    @property
    def gap_is_zero_by_construction(self) -> bool:
        """Whether the row's own test folds selected its configuration.

        False for baselines, variants and further seeds, which run with what the test folds of another row
        selected. A row of the search that states no score was stored by an early version.
        """
        if not self.leaks:
            return False
        if self.selection_score is None or self.scores is None:
            return not (self.is_baseline or self.variation)
        return math.isclose(self.selection_score, self.scores.mean_of_folds, abs_tol=EQUAL_SCORES)

    @property
    def optimism_gap(self) -> float | None:
        """The score that selected the configuration minus the mean of the test folds, in [-1, 1].

        None where no score selected it; see `gap_is_zero_by_construction`.
        """
        if self.scores is None or not self.complete:
            return None
        if self.gap_is_zero_by_construction:
            return 0.0
        return None if self.selection_score is None else self.selection_score - self.scores.mean_of_folds

    @property
    def optimism_gap_interval(self) -> StatisticInterval | None:
        """95 % interval of the gap over subjects; None where there is no gap, where it is 0 by construction,
        where the score's fold runs are not known, and with one subject."""
        if self.gap_subjects is None or self.optimism_gap is None or self.leaks:
            return None
        return gap_interval([self.gap_subjects])
