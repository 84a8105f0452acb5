"""The prepared store: aligned faces written once, verified and memory-mapped."""
