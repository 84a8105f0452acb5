"""Everything that knows flags or a terminal: parser, plans, output, progress line.

Every command imports this package before anything else, so a Python that cannot run them ends here.
"""

from __future__ import annotations

from platform.host.interpreter import check_interpreter

check_interpreter()
