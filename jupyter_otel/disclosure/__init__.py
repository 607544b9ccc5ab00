"""What people are told of the live policy: made of it, never written by hand."""
