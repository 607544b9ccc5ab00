"""What user code in kernels hands over, put on the road as its people allow.

It belongs to the consent group ``extensions``, as all of the SDK's data does. The
policy's name stands on its rows, for its identity rule made an attribute of them.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from jupyter_otel.consent.consent import Consent
from jupyter_otel.event import Person
from jupyter_otel.exporters.splitting import split
from jupyter_otel.policy.priority import priority
from jupyter_otel.road import Road
from jupyter_otel.schema import Group
from jupyter_otel.sources.otlp_relay import stamp, stamps
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.tally import DropReason, Signal

GROUP = Group.EXTENSIONS
"""The consent group of data that is no event of ours."""


class Relayed:
    """Passes on OpenTelemetry data of kernels. Safe in any thread that may wait.

    Args:
        road: Where it goes.
        consent: With what people say now.
        name_of: Returns the attribute that names a person, None where none does.
        revision: Names the policy in the rows.
    """

    def __init__(
        self,
        road: Road,
        consent: Consent,
        name_of: Callable[[Person], tuple[str, str] | None],
        revision: str,
    ) -> None:
        self._road = road
        self._consent = consent
        self._name_of = name_of
        self._revision = revision

    def open(self) -> None:
        """Have all three signals sent.

        Raises:
            ConfigError: The destination of one cannot be used.
        """
        for signal in Signal:
            self._road.open(signal)

    def put(
        self,
        signal: Signal,
        requests: Sequence[Any],
        people: Collection[Person],
        kernel_id: str,
    ) -> int | None:
        """Store requests; return how many records were left out for want of consent.

        None: a receiver would not take one of them, and nothing was done. What several
        people used names none of them, and each of them has to allow it.

        Args:
            signal: Of the requests.
            requests: Each an ``Export…ServiceRequest``; they are changed.
            people: Who used the kernel it comes from: one at least.
            kernel_id: Of that kernel.
        """
        attributes = stamps(kernel_id, self._name_of_one(people))
        if not all(stamp(signal, request, attributes) for request in requests):
            return None
        parts = [part for request in requests for part in split(signal, request)]
        self._consent.answers.refresh()
        subject = self._consent.key_of_all(people)
        if self._consent.allowed_since(subject, GROUP) is not None:
            self._road.put([self._row(signal, subject, *part) for part in parts])
            return 0
        records = sum(part.records for part in parts)
        self._road.books.accept(signal, records)
        self._road.books.drop(signal, DropReason.NO_CONSENT, records)
        return records

    def _name_of_one(self, people: Collection[Person]) -> tuple[str, str] | None:
        return self._name_of(next(iter(people))) if len(people) == 1 else None

    def _row(self, signal: Signal, subject: str, records: int, body: bytes) -> NewRow:
        return NewRow(
            signal=signal,
            subject=subject,
            group=GROUP,
            priority=priority(GROUP),
            records=records,
            revision=self._revision,
            body=body,
        )
