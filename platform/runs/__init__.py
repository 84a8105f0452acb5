"""One run: its task, its identity, its execution and its place in the results store. Knows nothing of Ray."""
