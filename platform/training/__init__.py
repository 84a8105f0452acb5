"""One fold run: the schedule, the two stages, and what comes out. Knows nothing of Ray."""
