"""Motion masks: from training subjects, from FMPN's release, and controls."""
