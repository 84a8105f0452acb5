"""Costs of training: counted from what a method builds, on torch's meta device."""
