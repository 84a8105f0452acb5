"""Prepared sets: aligned faces, written once, verified and memory-mapped."""
