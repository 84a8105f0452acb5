"""YAML that may be damaged or made to harm: plain values, or a UserError that names file and line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.files.opening import REMEDY, read_text

if TYPE_CHECKING:
    import yaml

LARGEST_BYTES = 4 * 2**20
"""Of a YAML file; the longest of ours, ten thousand configurations for --enqueue, has about 1 MB."""
DEEPEST = 50
"""Levels of lists and mappings in each other."""
MOST_NODES = 500_000
"""Values in a file, each alias counted as all that it stands for: nine lines can stand for gigabytes."""
MOST_DIGITS = 300
"""Characters of a number: floats end at 309 digits, and Python prints no whole number above 4,300."""


def read_yaml(path: Path, *, remedy: str = REMEDY) -> Any:
    """The value in the YAML file `path`: texts, numbers, dates, true and false, None, lists, mappings.

    Raises UserError as read_text and parse_yaml do.
    """
    return parse_yaml(read_text(path, largest_bytes=LARGEST_BYTES, remedy=remedy), str(path))


def parse_yaml(text: str, where: str) -> Any:
    """The value that the YAML `text` stands for; `where` is what messages call it, mostly its path.

    Raises UserError with the line for what is not YAML, a key that stands twice or is a list or mapping,
    values that are not what their tag says, numbers of more than MOST_DIGITS characters, more than
    DEEPEST levels, aliases that contain themselves or stand for more than MOST_NODES values.
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
    """PyYAML is imported when it is needed: most commands read no YAML."""
    import yaml

    class Loader(yaml.SafeLoader):
        """SafeLoader whose every error is a MarkedYAMLError, with bounds."""

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
            # PyYAML's constructors trust the text below a tag: `!!int ""`, `!!bool x`, 2001-99-99.
            except Exception as error:
                problem = f"{str(node.value)[:40]!r} is no {node.tag.rpartition(':')[2]}"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    return Loader


def _refuse_repetition(node: yaml.MappingNode) -> None:
    """PyYAML would keep the last value."""
    import yaml

    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        problem = ""
        if not isinstance(key, yaml.ScalarNode):
            problem = "a key must be text or a number"
        elif (key.tag, key.value) in seen:
            problem = f"the key {key.value[:80]!r} stands twice"
        if problem:
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        seen.add((key.tag, key.value))


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many values `node` stands for with all aliases written out. Raises above MOST_NODES."""
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
            None, None, f"aliases stand for more than {MOST_NODES:,} values", node.start_mark
        )
    sizes[id(node)] = size
    return size
