"""Sending exactly once: a nonce belongs to one intent, its signed bytes are journaled before they go out, and only those bytes are ever sent again."""
