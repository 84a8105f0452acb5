"""The standard library's `platform`, given this folder as the place of its submodules.

`python -m platform.tune` from the repository root makes this folder shadow the standard
module. So the standard file is loaded in our place, as a package whose submodules are ours:
`platform.system()` and `platform.tune` both work. Nothing else may be imported or defined here.
"""

import importlib.util
import os
import sys

_standard_file = os.path.join(os.path.dirname(os.__file__), "platform.py")
_spec = importlib.util.spec_from_file_location(
    "platform", _standard_file, submodule_search_locations=[os.path.dirname(os.path.abspath(__file__))]
)
_module = importlib.util.module_from_spec(_spec)
sys.modules["platform"] = _module
_spec.loader.exec_module(_module)
