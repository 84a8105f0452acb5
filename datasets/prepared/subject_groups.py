"""Groups of the subjects of a prepared set, such as sex and ancestry, where the data set knows them.

They are read from the names of the files that the images were made of, which every prepared set has in its
index, so sets that were prepared before groups existed have them too, and no hash changes. A set that was
resized from a larger one has the names of the images instead; the larger one knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from datasets.catalogue import knows_groups, subject_groups
from datasets.prepared import store_files
from datasets.prepared.merged_names import is_merged
from datasets.prepared.prepared_sizes import RESIZED_FROM
from datasets.prepared.store import PreparedStore, store_folder
from platform.errors import UserError


def groups_of(store: PreparedStore) -> dict[str, dict[str, list[str]]]:
    """Grouping to group to its subjects, all sorted; empty for a data set without groups.

    A subject whose files say nothing, or contradict each other, is in no group of that grouping. Empty also
    for several sets as one, and for a store that a dry run only plans.
    """
    if is_merged(store.dataset) or not store.is_prepared or not knows_groups(store.dataset):
        return {}
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    index = store_files.read_table(_original(store) / store_files.INDEX, ["subject", "source"])
    for subject, source in zip(index["subject"], index["source"], strict=True):
        for grouping, group in subject_groups(store.dataset, subject, source).items():
            said[grouping][subject].add(group)
    return {grouping: _by_group(said[grouping]) for grouping in sorted(said)}


def _by_group(said: Mapping[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for subject in sorted(said):
        if len(said[subject]) == 1:
            found.setdefault(next(iter(said[subject])), []).append(subject)
    return dict(sorted(found.items()))


def _original(store: PreparedStore) -> Path:
    """The folder of the set that was made of the raw files: the larger one of a resized set, if it is there
    unchanged."""
    origin = store_files.read_manifest(store.folder).get(RESIZED_FROM)
    if origin is None:
        return store.folder
    larger = store_folder(store.folder.parent.parent, store.dataset, origin["size_pixels"])
    try:
        unchanged = store_files.read_manifest(larger)["hash"] == origin["hash"]
    except UserError:  # it was removed, or is damaged
        unchanged = False
    return larger if unchanged else store.folder
