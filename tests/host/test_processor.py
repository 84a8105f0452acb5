from __future__ import annotations

from pathlib import Path

from platform.host.processor import processor_name

TEXT = """processor\t: 0
model name\t: Some Xeon @ 2.00GHz
flags\t\t: fpu avx512f avx512_bf16 amx_bf16_other

processor\t: 1
model name\t: Another
"""


def test_the_first_processor_is_named_with_its_instructions_for_bfloat16(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(TEXT)
    assert processor_name(tmp_path / "cpuinfo") == "Some Xeon @ 2.00GHz (avx512_bf16)"


def test_without_that_file_there_is_still_a_name(tmp_path: Path) -> None:
    assert processor_name(tmp_path / "none")
