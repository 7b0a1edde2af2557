"""Keys never leave this package. SIGNER_BACKEND picks the implementation."""
