"""Synthetic faces: identities, expressions as FACS action units, and sets in CK+'s native layout."""
