"""Motion masks: built from training subjects, released ones, and controls."""
