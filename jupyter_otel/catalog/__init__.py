"""Which schemas there are, what they declare, and what overlays say about them."""
