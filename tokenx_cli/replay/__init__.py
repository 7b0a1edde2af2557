"""Replays recorded order flow through the public API: loaders turn a file into order messages, the player sends them."""
