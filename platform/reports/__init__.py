"""From tables and runs to what people look at: the report page, figures and TensorBoard."""
