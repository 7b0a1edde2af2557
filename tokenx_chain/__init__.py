"""The chain service: the only process that ever holds a key. Sends transactions exactly once, follows blocks, publishes what is final."""
