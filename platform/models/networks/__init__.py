"""The networks that methods are built from."""
