"""Lists of folds that others published, read as they are."""
