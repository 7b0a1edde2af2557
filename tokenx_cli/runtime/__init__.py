"""How to find, configure, start, probe and stop each program the stack is made of. The supervisor and the tests share it."""
