"""Augmentation: random draws per image, and the transforms that they select."""
