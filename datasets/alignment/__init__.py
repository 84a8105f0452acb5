"""Alignment of faces: landmark detection and the similarity transform to a template."""
