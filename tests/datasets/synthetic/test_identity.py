"""Identities: deterministic, different, and within the ranges that the drawing expects."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np

from datasets.synthetic.identity import BEARDS, HAIR_STYLES, Identity, draw_identity

PEOPLE = [draw_identity(0, subject) for subject in range(300)]


def test_a_person_depends_on_seed_and_number_alone() -> None:
    assert draw_identity(0, 7) == PEOPLE[7]
    assert len({person.key for person in PEOPLE}) == len(PEOPLE)
    assert draw_identity(1, 7) != PEOPLE[7]


def test_every_property_varies_between_people() -> None:
    for field in fields(Identity):
        assert len({getattr(person, field.name) for person in PEOPLE}) > 1, field.name


def test_values_stay_in_their_ranges() -> None:
    for person in PEOPLE:
        assert person.beard in BEARDS
        assert person.hair_style in HAIR_STYLES
        assert person.glasses in (0, 1, 2)
        assert 0 <= person.age <= 1
        assert 0 <= person.freckles <= 1
        for colour in (person.skin, person.lips, person.hair, person.iris, person.cloth):
            assert all(0 <= value <= 255 for value in colour)
        factors = [value for name, value in asdict(person).items() if name.endswith(("width", "size"))]
        assert all(0.6 < value < 1.6 for value in factors)


def test_all_styles_occur_and_attributes_are_as_rare_as_meant() -> None:
    assert {person.hair_style for person in PEOPLE} == set(HAIR_STYLES)
    assert {person.beard for person in PEOPLE} == set(BEARDS)
    assert 0.03 < np.mean([person.glasses > 0 for person in PEOPLE]) < 0.15
    assert 0.15 < np.mean([person.freckles > 0 for person in PEOPLE]) < 0.35
