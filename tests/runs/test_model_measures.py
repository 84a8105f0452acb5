from __future__ import annotations

import pytest

from platform.config.configuration import configuration_of, to_dict
from platform.models import load_method
from platform.runs.model_measures import latency_milliseconds, measures, parameter_count
from tests.tiny_faces import tiny_configuration


@pytest.mark.parametrize("method", ["fmpn", "cnn"])
def test_the_count_is_that_of_the_net_that_is_trained(method: str) -> None:
    configuration = tiny_configuration(method=method)
    settings = load_method(method).settings(to_dict(configuration))
    module = load_method(method).build(settings, 3)
    assert parameter_count(configuration, 3) == sum(p.numel() for p in module.parameters())


def test_the_published_net_is_counted_without_allocating_it() -> None:
    # Inception's 21.8 million, the mask generator's 6.0 and the fusion's few.
    assert parameter_count(configuration_of(weights="none"), 7) == 27_841_256


@pytest.mark.usefixtures("process_settings_as_before")
def test_a_latency_is_a_positive_time_and_only_what_is_asked_for_is_measured() -> None:
    configuration = tiny_configuration(method="cnn")
    assert 0 < latency_milliseconds(configuration, 3, device="cpu", cpu_threads=1) < 10_000
    found = measures(("accuracy", "parameters"), configuration, 3, device="cpu", cpu_threads=1)
    assert found == {"parameters": parameter_count(configuration, 3)}
