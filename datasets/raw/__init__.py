"""Raw data sets on disk: files, clips, labels, landmarks and subject names as their owners deliver them."""
