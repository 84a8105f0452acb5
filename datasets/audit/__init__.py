"""Audit of fold lists: leaks, duplicates, missing classes and inconsistent labels."""
