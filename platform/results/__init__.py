"""From stored fold runs to tables, figures, the report and TensorBoard."""
