"""Names in a merged set: `ckplus+mmi` is the set, `ckplus:S005` a subject (sequence, image) of a part."""

from __future__ import annotations

SET_SEPARATOR = "+"
SUBJECT_SEPARATOR = ":"


def set_of_subject(subject: str) -> str:
    """The data set of a subject in a merged set: `ckplus` for `ckplus:S005`."""
    first, _, rest = subject.partition(SUBJECT_SEPARATOR)
    # A set of the user's own has the separator in its name: `folder:jaffe:S005`.
    own, separator, _ = rest.partition(SUBJECT_SEPARATOR)
    return f"{first}{SUBJECT_SEPARATOR}{own}" if first == "folder" and separator else first


def sets_of(dataset: str) -> tuple[str, ...]:
    """The data sets in the name of a merged set, in order; the fold with index k tests the k-th. Of any other
    set: the set itself."""
    return tuple(dataset.split(SET_SEPARATOR))


def is_merged(dataset: str) -> bool:
    """Whether `dataset` is the name of several sets as one."""
    return SET_SEPARATOR in dataset
