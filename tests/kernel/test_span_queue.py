import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from jupyter_otel_kernel import span_queue
from jupyter_otel_kernel.span_queue import SpanQueue


class Sender:
    """Takes what it is given, or what it is told to do with it."""

    def __init__(self, then=lambda: None):
        self.names, self._then = [], then

    def send(self, spans, timeout_s):
        """Note their names."""
        assert 0 < timeout_s <= 10
        self._then()
        self.names += [span.name for span in spans]


@pytest.fixture
def tracing():
    """Return what gives a queue before that sender, and a tracer before the queue."""
    queues = []

    def tracing(sender, **options):
        queue = SpanQueue(sender)
        queues.append(queue)
        provider = TracerProvider(shutdown_on_exit=False, **options)
        provider.add_span_processor(queue)
        return queue, provider.get_tracer("user")

    yield tracing
    for queue in queues:
        queue.shutdown()


def test_what_has_ended_is_sent_in_order_at_the_latest_at_the_end(tracing):
    sender = Sender()
    queue, tracer = tracing(sender)
    names = [str(number) for number in range(600)]
    for name in names:
        tracer.start_span(name).end()
    queue.shutdown()

    assert sender.names == names
    assert (queue.sent, queue.lost) == (600, 0)


def test_what_is_not_taken_is_lost_and_counted_and_the_rest_goes_on(tracing):
    def refuse():
        raise OSError

    queue, tracer = tracing(Sender(refuse))
    tracer.start_span("a").end()
    queue.shutdown()

    assert (queue.sent, queue.lost) == (0, 1)


def test_what_does_not_fit_is_lost_and_counted(tracing):
    sending, released = threading.Event(), threading.Event()
    queue, tracer = tracing(Sender(lambda: (sending.set(), released.wait())))
    tracer.start_span("a").end()
    sending.wait()
    for _ in range(span_queue.MAX_QUEUED + 5):
        tracer.start_span("b").end()
    released.set()
    queue.shutdown()

    # The one that is being sent still has its place.
    assert queue.lost == 6
    assert queue.sent == span_queue.MAX_QUEUED


def test_the_end_does_not_wait_for_a_receiver_that_hangs(tracing):
    released = threading.Event()
    queue, tracer = tracing(Sender(released.wait))
    tracer.start_span("a").end()
    queue.shutdown()
    assert queue.sent == 0
    released.set()


def test_after_the_end_nothing_is_taken(tracing):
    queue, tracer = tracing(Sender())
    queue.shutdown()
    tracer.start_span("a").end()
    assert (len(queue._queue), queue.lost) == (0, 0)


class RecordOnly(Sampler):
    """Lets spans be recorded for whoever is in the process, and not be sent."""

    def should_sample(self, *_args, **_kwargs):
        """Return that."""
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self):
        """Return its name."""
        return "RecordOnly"


def test_what_is_recorded_and_not_sampled_is_not_sent(tracing):
    sender = Sender()
    queue, tracer = tracing(sender, sampler=RecordOnly())
    tracer.start_span("a").end()
    queue.shutdown()
    assert (sender.names, queue.lost) == ([], 0)
