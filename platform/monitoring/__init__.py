"""Progress of a running experiment: events, counters and time remaining."""
