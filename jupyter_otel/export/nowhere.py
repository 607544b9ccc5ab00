"""The exporter ``none``: takes every request and keeps nothing of it."""

from jupyter_otel.export.verdicts import Sent, Verdict


class Nowhere:
    """Refuses every record without a word, so that the books say what happened."""

    name = "none"
    max_request_bytes = 2**31

    def send(self, request: bytes, records: int) -> Verdict:
        """Count the records as rejected."""
        del request
        return Sent(rejected=records)

    def close(self) -> None:
        """Do nothing."""
