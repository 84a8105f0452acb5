"""A single run: task, identity, execution and results store. Independent of Ray."""
