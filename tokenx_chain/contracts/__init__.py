"""Contracts by role: each file says what one contract can be asked and told. Nothing here talks to a node."""
