"""Synthetic faces: identities, expressions as FACS action units, and sets in native layouts of real data
sets."""
