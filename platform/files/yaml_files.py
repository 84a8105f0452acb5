"""YAML from untrusted or damaged files: plain values, or a UserError that names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.files.opening import REMEDY, read_text

if TYPE_CHECKING:
    import yaml

LARGEST_BYTES = 4 * 2**20
"""Size limit of a YAML file; the longest use, ten thousand configurations for --enqueue, has about 1 MB."""
DEEPEST = 50
"""Levels of nested lists and mappings."""
MOST_NODES = 500_000
"""Values in a file with all aliases expanded: nine lines can expand to gigabytes."""
MOST_DIGITS = 300
"""Characters of a number: floats end at 309 digits, and Python refuses to print integers above 4,300."""


def read_yaml(path: Path, *, remedy: str = REMEDY) -> Any:
    """The value in the YAML file `path`: strings, numbers, dates, booleans, None, lists, mappings.

    Raises UserError as read_text and parse_yaml do.
    """
    return parse_yaml(read_text(path, largest_bytes=LARGEST_BYTES, remedy=remedy), str(path))


def parse_yaml(text: str, where: str) -> Any:
    """The value of the YAML `text`; `where` names it in messages, usually its path.

    Raises UserError with the line for anything but YAML, duplicate keys and keys that are lists or mappings,
    values that contradict their tag, numbers of more than MOST_DIGITS characters, more than DEEPEST levels,
    and aliases that contain themselves or expand to more than MOST_NODES values.
    """
    import yaml

    try:
        loader = _loader()(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not valid YAML ({_one_line(error)}); correct it.") from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        line = f", line {text.count(chr(10), 0, getattr(error, 'position', 0)) + 1}"
        raise UserError(f"{where}{line}: not valid YAML ({' '.join(str(error).split())[:200]}).") from error


def _one_line(error: yaml.MarkedYAMLError) -> str:
    said = [part for part in (error.context, error.problem) if part]
    return " ".join(", ".join(said).split())[:200]


def _loader() -> type[yaml.SafeLoader]:
    """The class is made on request, to import PyYAML only then: most commands read no YAML."""
    import yaml

    class Loader(yaml.SafeLoader):
        """SafeLoader with limits, whose errors are all MarkedYAMLErrors."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if self.depth > DEEPEST:
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(None, None, f"more than {DEEPEST} levels deep", mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            if isinstance(node, yaml.MappingNode):
                _refuse_repetition(node)
            return node

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            number = node.tag.endswith((":int", ":float"))
            if number and isinstance(node.value, str) and len(node.value) > MOST_DIGITS:
                problem = f"a number of {len(node.value):,} characters, but at most {MOST_DIGITS} are read"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
            try:
                return super().construct_object(node, deep)
            except yaml.YAMLError:
                raise
            # PyYAML's constructors trust the text after a tag: `!!int ""`, `!!bool x`, 2001-99-99.
            except Exception as error:
                problem = f"{str(node.value)[:40]!r} is not a valid {node.tag.rpartition(':')[2]}"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    return Loader


def _refuse_repetition(node: yaml.MappingNode) -> None:
    """An error for duplicate keys, of which PyYAML would keep the last."""
    import yaml

    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        problem = ""
        if not isinstance(key, yaml.ScalarNode):
            problem = "a key must be text or a number"
        elif (key.tag, key.value) in seen:
            problem = f"the key {key.value[:80]!r} appears twice"
        if problem:
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        seen.add((key.tag, key.value))


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Number of values in `node` with all aliases expanded. Raises ComposerError above MOST_NODES."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise yaml.composer.ComposerError(None, None, "an alias contains itself", node.start_mark)
        return sizes[id(node)]
    sizes[id(node)] = 0
    parts = (part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,)))
    size = 1 + sum(_size(part, sizes) for part in parts)
    if size > MOST_NODES:
        raise yaml.composer.ComposerError(
            None, None, f"aliases expand to more than {MOST_NODES:,} values", node.start_mark
        )
    sizes[id(node)] = size
    return size
