"""People and pictures that the tests of the synthetic faces share."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from datasets.synthetic.identity import Identity, draw_identity


def plain(who: Identity) -> Identity:
    """The person symmetric, and without what hides the face: hair, beard, glasses, freckles."""
    return dataclasses.replace(
        who, asymmetry=(0.0,) * 6, hair_style="shaved", beard="none", glasses=0, freckles=0.0, texture=0.0
    )


@pytest.fixture(scope="session")
def person() -> Identity:
    """A light-skinned, symmetric person, on whom every feature is visible."""
    who = plain(draw_identity(0, 5))
    return dataclasses.replace(
        who, skin=(226.0, 182.0, 158.0), lips=(176.0, 84.0, 86.0), iris=(92.0, 122.0, 150.0)
    )


def differing(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """bool [H, W]: pixels in which two pictures differ."""
    return (first != second).any(axis=2)
