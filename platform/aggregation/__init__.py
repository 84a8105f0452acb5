"""Aggregation of stored fold runs into table rows."""
