"""The books balance whatever happens, and in whatever order it does.

Real pipelines, spools and senders, without their threads: hypothesis takes every step
itself. A crash is what a kill leaves: the files as they are, and no process. What the
books say is held against what is counted elsewhere: in the queue, in the spool's own
numbers, in its file read from outside, at the receiver.
"""

import logging
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from traitlets.config import Config

from jupyter_otel.assembly import build_catalog, build_stages
from jupyter_otel.config import read_settings
from jupyter_otel.delivery import Delivery, DeliverySettings
from jupyter_otel.event import Source
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.mapping.resource import resource_bytes, scope_bytes
from jupyter_otel.pipeline import Pipeline
from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, Signal
from jupyter_otel.testing.clock import FakeClock
from jupyter_otel.testing.received import parse, records_of
from jupyter_otel.testing.recording import RecordingDestination
from jupyter_otel.tracing.spans import SpanStarter

LOGS, TRACES = Signal.LOGS, Signal.TRACES
SIGNALS = (LOGS, TRACES)
MAX_AGE_S = 3600.0
SCHEMAS = {
    name: {
        "$id": f"urn:books:{name}",
        "version": "1",
        "type": "object",
        "properties": {"n": {"type": "integer"}, "ms": {"type": "integer"}},
    }
    for name in ("plain", "span", "folded", "sampled")
}
OVERLAY = """
schemas:
  "urn:books:*": {level: operational, properties: {n: operational, ms: operational}}
  "urn:books:plain": {group: interface}
  "urn:books:span": {group: executions, span: {duration_ms: ms, name: work}}
  "urn:books:folded": {group: operations, aggregate: {by: [n], window_s: 3600}}
  "urn:books:sampled": {group: data, sample: 0.5}
"""


@cache
def stages():
    """Return what all runs share: compiled once, without a state of its own."""
    place = Path(tempfile.mkdtemp(prefix="jupyter-otel-books-"))
    (place / "overlay.yaml").write_text(OVERLAY)
    config = Config()
    config.OtelPolicy.level = "operational"
    config.OtelPolicy.files = [str(place / "overlay.yaml")]
    config.OtelRedaction.hash_key_file = str(place / "key")
    known = read_settings(config)
    built = build_stages(
        known,
        build_catalog(known),
        start_span=SpanStarter().start,
        count=lambda _remark, _times: None,
        warnings=[],
    )
    shutil.rmtree(place)
    return built, {name: built.catalog.register(SCHEMAS[name]) for name in SCHEMAS}


class Receiver(RecordingDestination):
    """Counts what it has taken; lets something happen while a request is on its way."""

    def __init__(self, signal, **limits):
        super().__init__(**limits)
        self.signal = signal
        self.verdict = Sent()
        self.taken = self.miscounted = 0
        self.meanwhile = lambda: None

    def send(self, request, records):
        """Take a request and give the verdict of the day."""
        super().send(request, records)
        found = len(records_of(self.signal, parse(self.signal, request)))
        self.miscounted += found != records
        self.meanwhile()
        verdict = self.verdict
        if isinstance(verdict, Sent):
            self.taken += records - min(verdict.rejected, records)
        return verdict


class Process:
    """One life: a pipeline, its spool and its senders, none of them with a thread."""

    def __init__(self, directory, clock, limits):
        built, self.schemas = stages()
        self.clock, self.directory = clock, directory
        self.books = Books()
        self.is_synchronous = limits["durability"] == "sync"
        self.spool = Spool(
            None if limits["durability"] == "memory" else directory,
            max_bytes=limits["max_bytes"],
            max_age_s=MAX_AGE_S,
            when_full=limits["when_full"],
            synchronous=self.is_synchronous,
            now_ns=clock.now_ns,
        )
        resource = resource_bytes({}, service_name="books")
        self.pipeline = Pipeline(
            built,
            self.spool,
            RequestWriter(resource, {each: scope_bytes(each) for each in Source}),
            self.books,
            source=Source.APP,
            wake_delivery=lambda _signal: None,
        )
        self.worker = self.pipeline._worker
        self.worker._max_bytes = limits["queue_bytes"]
        self.receivers = {
            each: Receiver(each, max_request_bytes=limits["request_bytes"])
            for each in SIGNALS
        }
        self.senders = {
            each: Delivery(
                each,
                self.spool,
                self.receivers[each],
                self.books,
                settings=DeliverySettings(merge_records=limits["merge_records"]),
                monotonic=clock.monotonic,
            )
            for each in SIGNALS
        }

    def work(self):
        """Turn what is queued into rows, as the worker's thread does."""
        self.worker._work_on(self.worker._take())

    def queued(self):
        """Return how many events wait; what only closes windows is none."""
        origins = self.worker._queue[:: self.worker._width]
        return sum(origin is not None for origin in origins)

    def windows(self):
        """Return how many windows are open: events of one kind fold into one."""
        return int(self.pipeline._recorder._processor.next_fold_end_s() is not None)

    def stop(self):
        """End as `Road.stop` does."""
        self.worker.put((None,) * self.worker._width, 0)
        self.work()
        self.pipeline.stop(0.0)
        self.book(self.spool.close())

    def book(self, losses):
        """Book losses."""
        for loss in losses:
            self.books.drop(*loss)


LIMITS = st.fixed_dictionaries(
    {
        "durability": st.sampled_from(["batched", "sync", "memory"]),
        "when_full": st.sampled_from(["drop", "refuse"]),
        "max_bytes": st.sampled_from([900, 3000, 2**20]),
        "queue_bytes": st.sampled_from([30, 2**20]),
        "request_bytes": st.sampled_from([800, 2**24]),
        "merge_records": st.sampled_from([1, 3, 2000]),
    }
)
VERDICTS = st.sampled_from(
    [
        Sent(),
        Sent(rejected=1, message="no"),
        Sent(rejected=9**9),
        Retry(None, "busy"),
        Retry(30.0, "busy"),
        Rejected("bad"),
        Rejected("bad", split=True),
    ]
)
MEANWHILE = st.sampled_from(["nothing", "work", "settle", "expire", "emit", "advance"])


class Lives(RuleBasedStateMachine):
    """Processes that take in, store, send and die, one after the other."""

    @initialize(limits=LIMITS)
    def begin(self, limits):
        """Begin a first life under some limits."""
        self.root = Path(tempfile.mkdtemp(prefix="jupyter-otel-books-"))
        self.clock = FakeClock()
        self.limits = limits
        self.lives = 0
        self.number = 0
        self.process = self.new_process(self.root / "0")

    def new_process(self, directory):
        """Return a new life."""
        directory.mkdir(exist_ok=True)
        return Process(directory, self.clock, self.limits)

    @rule(kind=st.sampled_from(sorted(SCHEMAS)), times=st.integers(1, 4))
    def emit(self, kind, times):
        """Take events in."""
        for _ in range(times):
            self.number += 1
            n = 0 if kind == "folded" else self.number
            self.process.pipeline.emit(self.process.schemas[kind], {"n": n, "ms": 1})

    @rule()
    def emit_what_is_invalid(self):
        """Take in what does not fit its schema."""
        self.process.pipeline.emit(self.process.schemas["plain"], {"n": "one"})

    @rule(size=st.sampled_from([100, 5000]))
    def emit_what_is_long(self, size):
        """Take in what may be too long for the queue."""
        data = {"n": int("9" * 15), "ms": 1, "undeclared": "x" * size}
        self.process.pipeline.emit(self.process.schemas["span"], data)

    @rule()
    def work(self):
        """Let the worker have its turn."""
        self.process.work()

    @rule()
    def settle(self):
        """Let what is young go to the disk."""
        self.process.worker._settle_now()

    @rule(seconds=st.sampled_from([1.0, 600.0, MAX_AGE_S + 1, -MAX_AGE_S]))
    def advance(self, seconds):
        """Let time pass, or jump back."""
        self.clock.advance(seconds)

    @rule()
    def expire(self):
        """Look for rows that are too old."""
        self.process.book(self.process.spool.expire())

    @rule(signal=st.sampled_from(SIGNALS), verdict=VERDICTS, meanwhile=MEANWHILE)
    def send(self, signal, verdict, meanwhile):
        """Send once; something else happens on the way."""
        receiver = self.process.receivers[signal]
        receiver.verdict = verdict
        receiver.meanwhile = {
            "nothing": lambda: None,
            "work": self.work,
            "settle": self.settle,
            "expire": self.expire,
            "emit": lambda: self.emit("span", 2),
            "advance": lambda: self.advance(MAX_AGE_S + 1),
        }[meanwhile]
        self.process.senders[signal]._step()

    @rule()
    def restart(self):
        """End in order, and begin anew."""
        ended = self.process
        ended.stop()
        self.holds(ended)
        self.succeed(ended.directory)

    @rule()
    def crash(self):
        """Die, and begin anew."""
        self.abandon()

    @precondition(lambda self: self.limits["durability"] != "memory")
    @rule(signal=st.sampled_from(SIGNALS), is_taken=st.booleans())
    def crash_while_a_request_is_on_its_way(self, signal, is_taken):
        """Die before the answer is read, or with what is sent still in the table."""
        receiver = self.process.receivers[signal]
        copies = []
        receiver.verdict = Sent() if is_taken else Retry(None, "busy")
        receiver.meanwhile = lambda: copies.append(self.copy())
        self.process.senders[signal]._step()
        self.abandon(*copies[:1])

    def copy(self):
        """Return the files as a kill would leave them: without locks or maps."""
        self.lives += 1
        target = self.root / str(self.lives)
        without = shutil.ignore_patterns("*-shm", "*.lock")
        shutil.copytree(
            self.process.directory, target, dirs_exist_ok=True, ignore=without
        )
        return target

    def abandon(self, left=None):
        """Go on with the files of a moment, as the next life finds them."""
        left = left or self.copy()
        dead, self.process = self.process, None
        dead.spool.close()
        shutil.rmtree(dead.directory)
        self.succeed(left)

    def succeed(self, directory):
        """Begin a new life that adopts what the last one left."""
        waiting = on_disk(directory)
        self.process = self.new_process(directory)
        adopted = adopt_orphans(
            self.process.spool, directory, self.process.books.accept
        )
        rest = on_disk(directory, besides=self.process.spool.path)
        for signal in SIGNALS:
            tally = getattr(self.process.books.tally(), signal.value)
            assert tally.accepted == adopted.get(signal, 0)
            assert adopted.get(signal, 0) + rest[signal] == waiting[signal]

    @invariant()
    def books_balance(self):
        """Hold at every moment."""
        if getattr(self, "process", None) is not None:
            self.holds(self.process)

    def holds(self, process):
        """Hold the books against what is counted elsewhere."""
        tally, waiting = process.books.tally(), process.spool.pending()
        for signal in SIGNALS:
            page = getattr(tally, signal.value)
            taken_in = process.queued() + process.windows() if signal is LOGS else 0
            assert page.pending == taken_in + waiting[signal], signal
            assert page.pending >= 0
            assert page.sent == process.receivers[signal].taken
            assert process.receivers[signal].miscounted == 0
            assert page.accepted == (
                page.sent + page.pending + page.aggregated + sum(page.dropped.values())
            )

    def teardown(self):
        """Send all that is left: then nothing is pending any more."""
        if getattr(self, "process", None) is None:
            return
        process = self.process
        process.worker.put((None,) * process.worker._width, 0)
        process.work()
        for signal in SIGNALS:
            process.receivers[signal].verdict = Sent()
            process.receivers[signal].meanwhile = lambda: None
            while process.senders[signal]._step() is not None:
                pass
        self.holds(process)
        tally = process.books.tally()
        assert (tally.logs.pending, tally.traces.pending) == (0, 0)
        process.spool.close()
        shutil.rmtree(self.root)


def on_disk(directory, besides=None):
    """Return what waits in the spool files of a directory, read from outside."""
    found = Counter()
    for path in directory.glob("*.sqlite"):
        if path == besides:
            continue
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT signal, SUM(records) FROM rows GROUP BY signal"
            for signal, records in connection.execute(query):
                found[Signal(signal)] += records
    return found


@pytest.fixture(autouse=True)
def silent():
    """Thousands of complaints are expected, and held for nobody."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


TestBooks = Lives.TestCase
TestBooks.settings = settings(
    # More of them: BOOKS_EXAMPLES=1500 python -m pytest tests/integration/test_books.py
    max_examples=int(os.environ.get("BOOKS_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
