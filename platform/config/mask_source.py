"""Source of a run's target masks, as the setting `masks` names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError

PERMUTED_RELEASED = "permuted released"
"""Name of released masks that are permuted over the classes."""
_PREFIX = "permuted:"


@dataclass(frozen=True, kw_only=True)
class MaskSource:
    """Own masks, a control instead of them, released masks, or a control instead of released masks."""

    control: str | None = None
    released_folder: Path | None = None

    @property
    def name(self) -> str:
        """Name in a row of a table: `own`, a control, `released` or `permuted released`."""
        if self.released_folder is None:
            return self.control or "own"
        return PERMUTED_RELEASED if self.control else "released"


def mask_source(setting: str) -> MaskSource:
    """The source that the field `masks` of a plan names."""
    from datasets.masks.controls import CONTROLS  # imported here: --help needs no NumPy

    if setting == "own":
        return MaskSource()
    if setting in CONTROLS:
        return MaskSource(control=setting)
    control = "permuted" if setting.startswith(_PREFIX) else None
    return MaskSource(control=control, released_folder=Path(setting.removeprefix(_PREFIX)))


def mask_setting(words: Sequence[str] | None) -> str | None:
    """The field `masks` from the words after `--masks`; None without the flag. UserError for other words."""
    from datasets.masks.controls import CONTROLS

    if words is None:
        return None
    if len(words) == 1 and words[0] in ("own", *CONTROLS):
        return words[0]
    if len(words) == 2 and words[0] == "released":
        return str(Path(words[1]).absolute())
    if len(words) == 3 and list(words[:2]) == ["permuted", "released"]:
        return f"{_PREFIX}{Path(words[2]).absolute()}"
    raise UserError(
        f"--masks takes own, {', '.join(CONTROLS)}, `released DIR` or `permuted released DIR`, but got "
        f"{' '.join(words)!r}."
    )
