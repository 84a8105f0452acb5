"""FMPN's two stages as functions of a view, without tasks and stores, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from datasets.folds.view import FoldView
from datasets.masks.motion_masks import MaskSet, build_masks
from platform.config.configuration import Configuration, to_dict
from platform.models import load_method
from platform.models.artifact import Content
from platform.models.masks.motion_masks import content_of
from platform.models.method import Settings
from platform.training.stages import train_and_evaluate
from platform.training.tools import RunTools

CONTEXT: dict[str, Any] = {"device": torch.device("cpu"), "report": lambda values: None}


@dataclass(frozen=True)
class Stage1Outcome:
    """The pretrained mask generator's weights and its training curve."""

    generator_state: dict[str, Tensor]
    curve: list[dict[str, float]]


def run_stage1(
    view: FoldView, configuration: Configuration, masks: MaskSet | None = None, **context: Any
) -> Stage1Outcome:
    """Stage 1 on the view's own masks, or on others."""
    artifact = load_method(configuration.method).artifacts(configuration)["stage1"]
    settings = Settings(to_dict(configuration), artifact.option_names(type(configuration)))
    content = artifact.make(
        view,
        settings,
        {"masks": content_of(build_masks(view) if masks is None else masks)},
        RunTools(view=view, settings=settings, **{**CONTEXT, **context}),
    )
    return Stage1Outcome(
        generator_state=load(content.files["mask_generator.safetensors"]),
        curve=json.loads(content.files["curves.json"])["stage1"],
    )


def run_stage2(
    view: FoldView,
    configuration: Configuration,
    generator_state: Mapping[str, Tensor] | None = None,
    **context: Any,
) -> Any:
    """Stage 2 on the view's own masks, if the method uses any, from the generator of stage 1, if given.

    The outcome, with the stage's `curve` and the trained `state`.
    """
    method = load_method(configuration.method)
    inputs: dict[str, Content] = {}
    if "masks" in method.artifacts(configuration):
        inputs["masks"] = content_of(build_masks(view))
    if generator_state is not None:
        files = {"mask_generator.safetensors": save(dict(generator_state))}
        inputs["stage1"] = Content(files=files, facts={})
    settings = method.settings(to_dict(configuration))
    outcome = train_and_evaluate(method, settings, view, inputs, minimum_batch=2, **{**CONTEXT, **context})
    state = load(outcome.fitted.save()["weights.safetensors"])
    return SimpleNamespace(**vars(outcome), curve=outcome.curves["stage2"], state=state)
