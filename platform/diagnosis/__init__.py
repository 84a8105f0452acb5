"""Checks of the place in which commands are to run: Python, packages, GPU, Ray, folders, data, weights."""
