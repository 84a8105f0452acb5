"""Drawing of a synthetic face, part by part."""
