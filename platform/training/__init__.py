"""Training and scoring of one fold run: schedule, optimizer, loop, both stages. Independent of Ray."""
