"""What training one net costs, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of one stage of training with certain settings. An image is one of a training batch."""

    parameters: int
    """Of the whole module, frozen ones too."""
    trained_parameters: int
    """Those that get a gradient."""
    gflop_an_image: float
    """Arithmetic of a training step, forward and backward, in units of 1e9; a multiply-add counts as two."""
    kept_bytes_an_image: float
    """Activations that autograd keeps in float32 for the backward pass, without the parameters."""
    minimum_batch: int
    """1, or 2 where batch norm sees a single value per channel in a single image and cannot train on it."""


NOT_COUNTED = Costs(
    parameters=0, trained_parameters=0, gflop_an_image=0.0, kept_bytes_an_image=0.0, minimum_batch=1
)
"""Of what is no net of torch and states no costs: its time is learnt from finished runs."""
