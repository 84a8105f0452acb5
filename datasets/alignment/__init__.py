"""From a frame to an aligned face: landmark detection and the similarity transform."""
