"""What may be signed: decided before anything is, denied unless a rule allows it."""
