"""One synthetic face, drawn part by part."""
