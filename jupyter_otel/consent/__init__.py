"""Whether the person behind an event agreed to its group of schemas."""
