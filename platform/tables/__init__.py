"""From rows to a table: columns, notes and one renderer for each format."""
