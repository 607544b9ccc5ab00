"""Where a `RedactedEvent` is made, and nowhere else. An error drops the event."""
