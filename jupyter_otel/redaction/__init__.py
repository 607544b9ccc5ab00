"""Where a `RedactedEvent` is made, and nowhere else; what fails here drops the event."""
