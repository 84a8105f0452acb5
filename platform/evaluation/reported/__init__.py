"""Published accuracies, one module a paper, with the protocol behind each."""
