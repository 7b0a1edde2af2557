"""`tokenx verify`: the invariants of the platform, checked against a running stack from outside, with the read-only database role."""
