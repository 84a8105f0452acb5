"""The progress of a running experiment: events, counters and time left."""
