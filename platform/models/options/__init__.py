"""Options of methods: groups of fields that several methods share, and what makes them one flat dataclass."""
