"""Reading and writing of files: bounded reading of untrusted files, storage that survives kills."""
