"""From stored runs to the rows of a table."""
