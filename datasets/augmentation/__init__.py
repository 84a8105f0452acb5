"""Augmentation: random draws and the transforms made from them."""
