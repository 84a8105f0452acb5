"""Motion masks as artifacts of a method, and the quality of the masks that its net predicts."""
