"""Predictions, metrics and statistics: pure functions of stored results."""
