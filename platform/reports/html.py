"""Self-contained HTML report of an experiment: no scripts, no external resources."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from platform.config.net_name import preset_text
from platform.experiments.experiment_file import studies_of
from platform.files.opening import read_bytes
from platform.host.console import visible
from platform.host.launcher import pasteable
from platform.reports.chosen_configuration import chosen_configurations
from platform.reports.unscored_trials import unscored_lines
from platform.search.savings import economy_lines
from platform.tables.column import HTML
from platform.tables.columns import definitions
from platform.tables.details import PARTS
from platform.tables.displayable import displayable
from platform.tables.formatting import LEAKAGE
from platform.tables.grid import Grid
from platform.tables.notes import WARNING_STARTS, section_notes
from platform.tables.screen import marked_cells
from platform.tables.section_lines import TextTable, text_table
from platform.tables.table import Section, Table

_STYLE = """
:root { --ink: #1c2733; --soft: #5b6875; --line: #d9dfe5; --band: #f4f6f8; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); line-height: 1.5;
       font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 15px; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { font-size: 16px; margin: 24px 0 8px; }
.facts { color: var(--soft); margin: 0 0 16px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; width: 100%; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--line); }
th.left, td.left { text-align: left; }
tr.heading td { background: var(--band); color: var(--soft); font-weight: 600; text-align: left; }
tr.best td { font-weight: 700; }
ul.notes { color: var(--soft); font-size: 13.5px; padding-left: 20px; } ul.notes li { margin: 4px 0; }
ul.notes li.warning { color: #a33; font-weight: 600; }
figure { margin: 0 0 28px; } figure img { max-width: 100%; height: auto; display: block;
         border: 1px solid var(--line); border-radius: 6px; }
figcaption { color: var(--soft); font-size: 13.5px; margin-top: 6px; }
pre { background: var(--band); padding: 12px 14px; border-radius: 6px; overflow-x: auto; font-size: 13px;
      margin: 8px 0; }
details summary { cursor: pointer; color: var(--accent); }
"""

IN_THE_REPORT = ("seeds", "stability", "folds", "classes", "calibration", "groups")
"""Parts (details.PARTS) that the page has below a table; confusion matrices are figures."""

OTHER_PROCESSORS = (
    "The same settings give the same numbers on one kind of processor with the same number of threads. On "
    "others the last bits differ from the first layers on, and training amplifies them (docs/fidelity.md)."
)


def report_html(
    experiment: Mapping[str, Any],
    table: Table,
    figures: Mapping[str, Path],
    next_commands: Mapping[str, str],
    conclusions: Sequence[str] = (),
    *,
    winners: Sequence[str] = (),
    provenance: Mapping[str, str] | None = None,
) -> str:
    """The page. figures: title to PNG file, embedded. next_commands: purpose to command. conclusions:
    sentences above the tables. winners: names of the files that hold the chosen configurations.
    provenance: where, when and by which code the fold runs were computed, name to text."""
    name, table = experiment["name"], displayable(table)
    tables = [text_table(section, HTML) for section in table.sections]
    facts = (
        f"data set {experiment['dataset']}, preset "
        f"{preset_text(experiment['preset'], experiment.get('config', {}))}, selected by "
        f"{experiment['selection_rule']}"
    )
    if experiment["selection_rule"] == "test":
        facts += f" ({LEAKAGE})"
    parts = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="facts">{escape(facts)}</p>',
        *_chosen(experiment, winners),
        f"<pre>{escape(pasteable(experiment['command']))}</pre>",
        *(f"<p>{escape(sentence)}</p>" for sentence in conclusions),
        *(_section(section, shown) for section, shown in zip(table.sections, tables, strict=True)),
        _notes(definitions(column for shown in tables for column in shown.columns)),
        "<h2>Figures</h2>",
        *(_figure(title, path) for title, path in figures.items()),
        *(_study(study) for study in studies_of(experiment)),
        _economy(experiment),
        "<h2>Configuration</h2>",
        _key_table(experiment["config"]),
        *(["<h2>Provenance</h2>", _key_table(provenance), _notes([OTHER_PROCESSORS])] if provenance else []),
        "<h2>Next</h2>",
        *(f"<p>{escape(what)}</p><pre>{escape(command)}</pre>" for what, command in next_commands.items()),
    ]
    return visible(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _chosen(experiment: Mapping[str, Any], winners: Sequence[str]) -> list[str]:
    """The block that says which configuration the tables are about."""
    parts = ["<h2>Chosen configuration</h2>"]
    for one in chosen_configurations(experiment):
        told = f"{one.title}: {one.origin}; " + (
            "departures from the preset:" if one.departures else "every option is as in the preset."
        )
        parts.append(f'<p class="facts">{escape(told)}</p>')
        if one.departures:
            lines = [_row("th", ["Option", "Value", f"Preset {experiment['preset']}"], left=3)]
            parts.append(_table([*lines, *(_row("td", row, left=3) for row in one.departures)]))
    if winners:
        files = winners[0] if len(winners) == 1 else f"{winners[0]} to {winners[-1]}, one for each fold"
        parts.append(f'<p class="facts">{escape(f"As a file for --config: {files} (beside this page)")}</p>')
    return parts


def _section(section: Section, table: TextTable) -> str:
    left = table.left_columns
    lines = [_row("th", table.header, left=left)]
    for line, cells in zip(table.lines, marked_cells(table), strict=True):
        if line.heading:
            lines.append(f'<tr class="heading"><td colspan="{len(cells)}">{escape(line.heading)}</td></tr>')
        lines.append(_row("td", cells, "best" if line.best else "", left=left))
    title = f"Accuracy on {section.title}, of final runs on test folds"
    return "\n".join(
        [
            f"<h2>{escape(title)}</h2>",
            _table(lines),
            _notes(section_notes(section)),
            *(_folded(grid) for part in IN_THE_REPORT for grid in PARTS[part](section)),
        ]
    )


def _folded(grid: Grid) -> str:
    """A table that is collapsed until the reader opens it."""
    lines = [
        _row("th", grid.header, left=grid.left_columns),
        *(_row("td", cells, left=grid.left_columns) for cells in grid.rows),
    ]
    return f"<details><summary>{escape(grid.caption)}</summary>\n{_table(lines)}\n</details>"


def _study(study: Mapping[str, Any]) -> str:
    trials: Sequence[Mapping[str, Any]] = study["trials"]
    names = list(dict.fromkeys(name for trial in trials for name in trial["params"]))
    lines = [_row("th", ["Trial", "State", "Score %", "Folds", *names], left=2)]
    ranked = sorted(
        trials, key=lambda trial: (trial["score"] is None, -(trial["score"] or 0.0), trial["number"])
    )
    for trial in ranked:
        score = "–" if trial["score"] is None else f"{100 * trial['score']:.2f}"
        values = [_value(trial["params"].get(name, "–")) for name in names]
        state = "invalid" if trial.get("invalid") else trial["state"].lower()
        cells = [str(trial["number"]), state, score, str(trial["folds"]), *values]
        lines.append(_row("td", cells, left=2))
    about = (
        f"Study {study['name']}{_searched(study)}: {len(trials)} trials. Score: "
        f"{study['objective']}; chosen: trial {study['winner']}."
    )
    unscored = "".join(f"\n<li>{escape(line.strip())}</li>" for line in unscored_lines(study))
    page = f'<h2>Search</h2>\n<p class="facts">{escape(about)}</p>\n{_table(lines)}'
    return f"{page}\n<ul>{unscored}\n</ul>" if unscored else page


def _searched(study: Mapping[str, Any]) -> str:
    """` of cnn over the space baseline`; empty for studies that name neither."""
    return f" of {study['method']} over the space {study['space']}" if "method" in study else ""


def _economy(experiment: Mapping[str, Any]) -> str:
    """What pruning and sharing saved; empty without a search."""
    if not experiment.get("economy"):
        return ""
    return "\n".join(f"<p>{escape(line.strip())}</p>" for line in economy_lines(experiment["economy"]))


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _key_table(settings: Mapping[str, Any]) -> str:
    """Names and values; a nested mapping becomes `outer.inner`."""
    lines = [_row("td", [name, value], left=2) for name, value in _flat(settings)]
    return _table(lines)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


def _notes(notes: Sequence[str]) -> str:
    items = []
    for note in notes:
        warns = note.startswith(WARNING_STARTS)
        items.append(f"<li{' class=' + chr(34) + 'warning' + chr(34) if warns else ''}>{escape(note)}</li>")
    return '<ul class="notes">\n' + "\n".join(items) + "\n</ul>"


def _figure(title: str, path: Path) -> str:
    data = base64.b64encode(read_bytes(path)).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(title)}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def _table(lines: Sequence[str]) -> str:
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _row(tag: str, cells: Sequence[str], css: str = "", *, left: int) -> str:
    written = []
    for index, cell in enumerate(cells):
        side = ' class="left"' if index < left else ""
        written.append(f"<{tag}{side}>{escape(cell).replace(chr(10), '<br>')}</{tag}>")
    return (f'<tr class="{css}">' if css else "<tr>") + "".join(written) + "</tr>"
