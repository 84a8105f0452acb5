"""This process and its machine: output streams, signals, CPU and memory limits."""
