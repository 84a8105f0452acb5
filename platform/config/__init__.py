"""The settings of a run: frozen dataclasses, their rules, and presets."""
