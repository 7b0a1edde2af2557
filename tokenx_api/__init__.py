"""The api service :8100: the single writer to PostgreSQL. One folder per business domain; in each, files are named by role."""
