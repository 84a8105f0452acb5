"""Notes on reported rows: source, protocol, and what cannot be compared with them."""

from __future__ import annotations

from collections.abc import Sequence

from platform.evaluation.reported.papers import reported_counterpart
from platform.evaluation.reported.result import ReportedResult
from platform.tables.formatting import PUBLISHED, protocol_text
from platform.tables.table import Section

REPORTED_NOTE = (
    "Reported rows: not run here; from the {sources}. Each row names the unit that was scored, sequences or "
    "images. †: how folds were averaged is not stated in the paper or not known here."
)


def reported_notes(section: Section) -> list[str]:
    """Sources and protocols of the reported rows, paper by paper, and why rows of ours are not comparable."""
    papers = list(dict.fromkeys(result.paper for result in section.reported))
    notes = [REPORTED_NOTE.format(sources="; the ".join(paper.source for paper in papers))]
    for paper in papers:
        notes += _protocol_notes([result for result in section.reported if result.paper == paper])
        notes += [f"{paper.name}: {remark}" for remark in paper.remarks]
    if any(result.statistic == "one 9:1 split" for result in section.reported):
        notes.append(
            "The reported numbers of this data set come from one random 9:1 split, not from a mean of folds."
        )
    notes += _other_class_notes(section)
    changed = sorted(
        block.preset_text
        for block in section.blocks
        if block.preset in PUBLISHED and block.preset_text != block.preset
    )
    if changed:
        notes.append(
            f"Not comparable with the reported rows: our rows depart from the published settings (preset "
            f"{'; preset '.join(changed)})."
        )
    other = sorted({block.preset for block in section.blocks} - set(PUBLISHED))
    if other:
        notes.append(
            f"Not comparable with the reported rows: our rows use the preset {', '.join(other)} instead of "
            "the paper's image size and schedule."
        )
    return notes


def _protocol_notes(results: Sequence[ReportedResult]) -> list[str]:
    """What is known of the protocol of one paper's rows."""
    heading = results[0].paper.heading
    quotes = any(not result.protocol_known for result in results)
    protocols = dict.fromkeys(protocol_text(result) for result in results if result.protocol_known)
    of_which = "the rows that its authors ran" if quotes else "its rows"
    quoted = " For rows that the paper quotes, it is not stated." if quotes else ""
    return [f"{heading}: protocol of {of_which}: {protocol}.{quoted}" for protocol in protocols]


def _other_class_notes(section: Section) -> list[str]:
    """Rows of ours whose reported counterpart distinguishes another number of classes."""
    notes = []
    for row in section.rows:
        reported = reported_counterpart(row.method, section.reported_as)
        count = len(row.scores.class_names) if row.scores else None
        if reported is not None and count is not None and count != reported.class_count:
            remark = f" ({reported.classes_remark})" if reported.classes_remark else ""
            notes.append(
                f"{row.title}: not compared with the reported {reported.accuracy_percent:.2f} % of "
                f"{reported.title}, which has {reported.class_count} classes{remark}; ours has {count}."
            )
    return list(dict.fromkeys(notes))
