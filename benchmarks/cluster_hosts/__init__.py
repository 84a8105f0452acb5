"""Hosts of a cluster on one machine: Linux namespaces that sshd, Ray and our commands take for machines.

Each host has its own network address, processes, host name, clock setting, `/tmp`, shared memory, home folder
and copy of `.venv` (an overlay). All of them mount one folder as `/mnt/fer`, which stands for a network file
system. Their kernel, processors and memory are the machine's.
"""
