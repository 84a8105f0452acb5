"""Rules for settings. An error names the field, its value, the rule and the remedy.

`settings` are a Configuration or a Plan of platform/config/configuration.py, which imports this file.
"""

from __future__ import annotations

import dataclasses
import math
import typing
import urllib.parse
from collections.abc import Iterable
from typing import Any, Literal

from platform.errors import UserError, unknown_name


def check_configuration(settings: Any) -> None:
    """Check all fields of a new configuration, and bring equivalent settings into one form.

    A weights file gets the SHA-256 of its content. UserError for the first broken rule.
    """
    from platform.models import method_names

    check_types(settings)
    _check_choice("method", settings.method, method_names())
    _check_classifier(settings)
    _check_schedules(settings)
    _check_ranges(settings)
    _check_faces(settings)
    if settings.momentum and settings.optimizer != "sgd":
        raise UserError(
            f"momentum needs the optimizer sgd, but got momentum {settings.momentum:g} with "
            f"{settings.optimizer}, which uses adam_beta1 instead; pass --optimizer sgd, or --momentum 0."
        )


def _check_classifier(settings: Any) -> None:
    from platform.models.networks.backbones import check_backbone, check_dropout
    from platform.models.networks.weights import is_pinned, is_released, pin_weights

    seen_pixels = max(settings.image_size_pixels, settings.enlarge_below_pixels)
    check_backbone(settings.backbone, seen_pixels, settings.backbone_width, settings.weights)
    check_dropout(settings.backbone, settings.dropout)
    if settings.freeze_backbone and settings.weights == "none":
        raise UserError(
            "freeze_backbone keeps the weights that the backbone starts from, but weights is none, which are "
            "random; pass --weights imagenet or a file, or --freeze-backbone no."
        )
    if is_released(settings.weights):
        _check_released(settings)
        return
    pinned = pin_weights(settings.weights)
    # A new path: the only time that the file is read here.
    if is_pinned(pinned) and pinned != settings.weights:
        from platform.models.networks.backbone_nets import check_weights

        check_weights(settings.backbone, width=settings.backbone_width, weights=pinned)
    object.__setattr__(settings, "weights", pinned)


def _check_released(settings: Any) -> None:
    """Pin a released checkpoint. UserError: unreadable, or settings of nets other than the release's."""
    from platform.models import load_method
    from platform.models.released_checkpoint import (
        GENERATOR_BLOCKS,
        GENERATOR_WIDTH,
        check_released,
        pin_released,
    )

    if not load_method(settings.method).starts_from_release:
        raise UserError(
            f"weights released:FILE starts the three nets of fmpn, but method is {settings.method}; pass "
            '--method fmpn and --baselines "", or --weights imagenet.'
        )
    for name, value in (
        ("backbone_width", 1),
        ("generator_width", GENERATOR_WIDTH),
        ("generator_blocks", GENERATOR_BLOCKS),
    ):
        rule = f"{value} with weights released:FILE, as published"
        check_rule(settings, name, getattr(settings, name) == value, rule)
    pinned = pin_released(settings.weights)
    if pinned != settings.weights:  # a new path: the only time that the file is read here
        check_released(pinned, settings.backbone)
    object.__setattr__(settings, "weights", pinned)


def _check_schedules(settings: Any) -> None:
    for stage in ("stage1", "stage2"):
        names = [f"{stage}_constant_epochs", f"{stage}_decay_epochs"]
        for name in names:
            check_rule(settings, name, getattr(settings, name) >= 0, ">= 0")
        epochs = sum(getattr(settings, name) for name in names)
        if epochs < 1:
            raise UserError(f"{' + '.join(names)} must be >= 1, but got {epochs}; raise one.")
        check_rule(settings, f"{stage}_batch_size", getattr(settings, f"{stage}_batch_size") >= 1, ">= 1")


def _check_ranges(settings: Any) -> None:
    for name in ("stage1_learning_rate", "classifier_learning_rate"):
        check_rule(settings, name, 0 < getattr(settings, name) < 10, "> 0 and < 10")
    for name in ("generator_learning_rate", "lambda_classification", "lambda_mask"):
        check_rule(settings, name, 0 <= getattr(settings, name) < 1e6, ">= 0 and < 1e6")
    for name in ("adam_beta1", "adam_beta2", "momentum", "label_smoothing", "ema_decay"):
        check_rule(settings, name, 0 <= getattr(settings, name) < 1, ">= 0 and < 1")
    check_rule(settings, "weight_decay", 0 <= settings.weight_decay < 10, ">= 0 and < 10")
    check_rule(settings, "initialisation_gain", 0 < settings.initialisation_gain <= 10, "> 0 and <= 10")
    check_rule(settings, "generator_width", 1 <= settings.generator_width <= 1024, "1 to 1024")
    check_rule(settings, "generator_blocks", 1 <= settings.generator_blocks <= 64, "1 to 64")
    check_rule(settings, "seed", 0 <= settings.seed < 2**31, "0 to 2**31 - 1")


def _check_faces(settings: Any) -> None:
    from datasets.augmentation.draw import check_augmentation

    check_rule(settings, "image_size_pixels", settings.image_size_pixels >= 16, ">= 16")
    check_rule(settings, "enlarge_below_pixels", 0 <= settings.enlarge_below_pixels <= 2048, "0 to 2048")
    if settings.load_size_pixels < settings.image_size_pixels:
        raise UserError(
            f"load_size_pixels >= image_size_pixels must hold, but got {settings.load_size_pixels} < "
            f"{settings.image_size_pixels}; crops are taken from the loaded face: raise --load-size-pixels."
        )
    check_augmentation(settings.augmentation, settings.load_size_pixels)
    if settings.stage2_augmentation != "same":
        check_augmentation(settings.stage2_augmentation, settings.load_size_pixels)


def check_rule(settings: Any, name: str, holds: bool, rule: str) -> None:
    """UserError with the rule of the field `name`, its value and its flag, unless it `holds`."""
    if not holds:
        flag = "--" + name.replace("_", "-")
        raise UserError(f"{name} must be {rule}, but got {getattr(settings, name)!r}; change {flag}.")


def check_types(settings: Any) -> None:
    """Reject a value of another type than its field's: YAML and spaces bring untyped values.

    A whole number in a field of decimals is made one: 10 and 10.0 must give the same identity.
    """
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        if typing.get_origin(hint) is Literal:
            _check_choice(field.name, str(value), typing.get_args(hint))
            continue
        base = typing.get_origin(hint) or hint
        if base is tuple:
            item = typing.get_args(hint)[0]
            if not isinstance(value, tuple) or any(type(part) is not item for part in value):
                raise UserError(f"{field.name} must be a list of {item.__name__}, but got {value!r}.")
            continue
        accepted = (int, float) if base is float else (base,)
        if not isinstance(value, accepted) or (isinstance(value, bool) and base is not bool):
            raise UserError(f"{field.name} must be of type {base.__name__}, but got {value!r}.")
        if base is float:
            if not math.isfinite(value):
                raise UserError(f"{field.name} must be finite, but got {value!r}.")
            object.__setattr__(settings, field.name, float(value))


def _check_choice(name: str, value: str, known: Iterable[str]) -> None:
    known = list(known)
    if value not in known:
        raise unknown_name(name, value, known)


def check_storage(storage: str) -> None:
    """UserError: neither `journal` nor the URL of a supported database, or a URL with a password."""
    if storage == "journal" or (storage.startswith("sqlite:///") and storage != "sqlite:///"):
        return
    if not storage.startswith("postgresql://"):
        raise UserError(
            f"storage must be journal, sqlite:///FILE or postgresql://USER@HOST/DATABASE, but got "
            f"{storage!r}; change --storage."
        )
    url = urllib.parse.urlsplit(storage)
    if url.password is not None or "password=" in url.query:
        raise UserError(
            "storage must not hold a password, since settings are printed and stored with the results; put "
            "it into PGPASSWORD or ~/.pgpass."
        )
