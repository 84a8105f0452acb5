"""Subject-independent folds, their validation splits, and the view that hides the test subjects."""
