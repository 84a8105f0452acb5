"""For type checkers only: our folder is a package that also has the standard module's names (as Any).

Without this file a checker would read the facade and find none of the standard names in it.
"""

from typing import Any

def __getattr__(name: str) -> Any: ...
