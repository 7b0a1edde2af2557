"""Follows a chain block by block and publishes what happened: seen at once, final when it can no longer change, reverted when it did."""
