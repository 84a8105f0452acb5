from __future__ import annotations

import hashlib

import pytest

from platform.runs.identity import canonical_json, identity


def test_an_identity_is_the_hash_of_the_canonical_json() -> None:
    record = {"b": [1, 2.5, None, True], "a": "ä"}
    assert canonical_json(record) == '{"a":"\\u00e4","b":[1,2.5,null,true]}'
    assert identity(record) == hashlib.sha256(canonical_json(record).encode()).hexdigest()[:24]


def test_the_order_of_keys_changes_nothing_and_any_value_does() -> None:
    record = {"method": "fmpn", "config": {"seed": 0, "lambda_mask": 10.0}}
    turned = {"config": {"lambda_mask": 10.0, "seed": 0}, "method": "fmpn"}
    assert identity(record) == identity(turned)
    assert identity(record) != identity({**record, "config": {"seed": 1, "lambda_mask": 10.0}})
    assert identity({"seeds": [0, 1]}) != identity({"seeds": [1, 0]})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_has_no_identity(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        identity({"lambda_mask": value})
