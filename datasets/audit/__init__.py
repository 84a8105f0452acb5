"""Audit of folds: leaks, copies and missing classes."""
