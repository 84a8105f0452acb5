"""Inventory of a runs folder: what it holds, what takes how much, what may go, and what can be handed on."""
