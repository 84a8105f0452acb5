"""Ray's part: it calls `execute` and carries plain tasks. The only folder that imports ray."""
