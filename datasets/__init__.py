"""From a data set on disk to batches: adapters, records, alignment, store, folds, masks."""
