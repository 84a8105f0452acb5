"""The report page, figures and TensorBoard logs, from tables and runs."""
