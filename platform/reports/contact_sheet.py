"""Contact sheet of a prepared set: a few subjects, every class."""

from __future__ import annotations

from pathlib import Path

SUBJECTS = 6


def write_contact_sheet(store_folder: Path, path: Path) -> None:
    """PNG at `path`: rows are subjects, columns classes; the last frame of each sequence."""
    from datasets.prepared.store import PreparedStore
    from platform.reports.figures import contact_sheet, save_figure

    store = PreparedStore.open(store_folder)
    expressive = store.roles == "expressive"
    subjects = sorted(set(store.subjects[expressive].tolist()))[:SUBJECTS]
    rows = []
    for subject in subjects:
        for name in store.class_names:
            found = ((store.subjects == subject) & (store.expressions == name) & expressive).nonzero()[0]
            if len(found):
                rows.append(found[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = contact_sheet(
        store.images[rows], store.subjects[rows].tolist(), store.expressions[rows].tolist()
    )
    save_figure(figure, path)
