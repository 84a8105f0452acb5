"""One study: what is searched, how configurations are proposed, pruned and stored. Knows nothing of Ray."""
