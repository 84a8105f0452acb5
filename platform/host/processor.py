"""Name of the processor, for measurements that hold for one model alone."""

from __future__ import annotations

from pathlib import Path

import platform

PROCESSOR_FILE = Path("/proc/cpuinfo")
BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")


def processor_name(file: Path = PROCESSOR_FILE) -> str:
    """Its model and, where Linux names them, its instructions for bfloat16."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    facts: dict[str, str] = {}
    for line in lines:
        key, separator, value = line.partition(":")
        if separator:
            facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name") or platform.processor() or platform.machine()
    found = [word for word in BF16_INSTRUCTIONS if word in facts.get("flags", "").split()]
    return f"{name} ({', '.join(found)})" if found else name
