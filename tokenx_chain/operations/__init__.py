"""What the platform does on a chain: one plain program per kind of operation.

A program is re-run from its start after a restart; each of its steps that is already journaled returns the recorded transaction
instead of sending a new one. So a program must name its steps by what they do, and must not depend on anything but the chain."""
