"""One study: definition, search algorithms, pruning and storage. Independent of Ray."""
