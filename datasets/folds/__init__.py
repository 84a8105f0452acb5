"""Subject-independent folds, their inner splits, and the view that hides the test subjects."""
