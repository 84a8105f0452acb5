"""Fold lists: published lists, tables of the user and our own fold plans, read unchanged."""
