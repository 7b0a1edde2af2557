"""The local backend: keys live in a process of their own (signerd) that the service starts and reaches over a Unix socket."""
