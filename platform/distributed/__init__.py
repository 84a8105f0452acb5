"""Execution on Ray: calls `execute` and carries plain tasks. The only folder that imports ray."""
