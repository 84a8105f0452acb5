"""Predictions, metrics and statistics: pure functions of what a fold run stored."""
