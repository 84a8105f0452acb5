"""Everything that knows flags or a terminal: parser, plans, output, progress line."""
