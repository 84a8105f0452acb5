"""The comparison table: column registry, notes, and one renderer per format."""
