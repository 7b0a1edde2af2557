"""The matcher service (:8200): commands in, executions out, one book per offering. It owns no data; everything here can be rebuilt."""
