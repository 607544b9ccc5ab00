"""What may leave: which schemas, and what is done to each of their properties."""
