"""A published number, its protocol, and the paper that it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["sequence-based", "image-based"]
Statistic = Literal["mean of ten folds", "one 9:1 split", "not stated", "unknown"]
NOT_STATED = "not stated"
"""The paper does not say it."""
UNKNOWN: Literal["unknown"] = "unknown"
"""The paper may say it, but it is not among the facts of docs/methods.md."""
COMPOSITES = "synthetic composites"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A publication with reported numbers."""

    name: str
    """`FMPN paper`."""
    reference: str
    """Where to find it: `arXiv 1902.08788`."""
    place: str = ""
    """Where in the paper all its rows are: `Table I`; empty where that is not known."""
    remarks: tuple[str, ...] = ()
    """What follows its name below a table with its rows: how sure they are, and what they depend on."""

    @property
    def heading(self) -> str:
        """`FMPN paper, Table I`."""
        return self.name + (f", {self.place}" if self.place else "")

    @property
    def source(self) -> str:
        """`FMPN paper (arXiv 1902.08788), Table I`."""
        return f"{self.name} ({self.reference})" + (f", {self.place}" if self.place else "")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Further published numbers of a row, in percent."""

    precision: float
    """Unweighted mean over classes."""
    recall: float
    """Unweighted mean over classes."""
    f1: float
    """As the paper defines it."""


@dataclass(frozen=True, kw_only=True)
class ReportedResult:
    """One method's published numbers on one data set."""

    paper: Paper
    method: str
    """The method's name in the field."""
    dataset: str
    """Our registry name of the data set."""
    accuracy_percent: float
    protocol: Protocol
    """What was scored: whole sequences or single images."""
    statistic: Statistic
    """How folds were averaged, where the paper or the released code shows it."""
    selection_rule: str
    """`paper`: fixed settings and the last epoch, as in the released code; else what is known, in words."""
    class_count: int | None
    """None where it is not stated."""
    classes_remark: str = ""
    """`with neutral`."""
    frames: str
    """Which frames of a sequence are images, or `not stated` or `unknown`."""
    folds: str
    """How subjects or images were divided, or `not stated` or `unknown`."""
    our_method: str | None = None
    """Registry name of our corresponding method, which is compared with this number; None without one."""
    test_items: str = ""
    """`synthetic composites` or `real images` of a paper that tests both; else empty."""
    measures: Measures | None = None

    def __post_init__(self) -> None:
        if self.our_method is not None and self.of_composites:
            raise ValueError(f"{self.method}: numbers on {COMPOSITES} are not compared with any method")

    @property
    def of_composites(self) -> bool:
        """Whether other images were tested than those of the data set."""
        return self.test_items == COMPOSITES

    @property
    def title(self) -> str:
        """The method, and that it was tested on composites if it was."""
        return f"{self.method} (on composites)" if self.of_composites else self.method

    @property
    def classes(self) -> str:
        """`7`, `8 (with neutral)`, or `not stated`."""
        if self.class_count is None:
            return NOT_STATED
        return f"{self.class_count}" + (f" ({self.classes_remark})" if self.classes_remark else "")

    @property
    def protocol_known(self) -> bool:
        """Whether more is known of it than what was scored: not so of rows that a paper quotes."""
        return self.class_count is not None
