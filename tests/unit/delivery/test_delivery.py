import threading
import time

import pytest

from jupyter_otel.delivery import Delivery, DeliverySettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import DropReason, Signal, SignalTally
from jupyter_otel.testing.recording import RecordingDestination

LOGS = Signal.LOGS
_FOR_EVER = DeliverySettings(first_backoff_s=3600, max_backoff_s=3600)


def test_rows_are_merged_into_one_request_in_order(desk):
    destination = RecordingDestination()
    desk.add(b"one ", b"two ", b"three", records=2)
    desk.start(destination)

    assert desk.settled() == SignalTally(accepted=6, sent=6)
    assert destination.requests == [(b"one two three", 6)]
    assert desk.spool.size_bytes() == 0


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"merge_bytes": 25}, [20, 20, 10]),
        ({"merge_rows": 2}, [20, 20, 10]),
        ({"merge_records": 7}, [10, 10, 10, 10, 10]),
        ({"merge_records": 12}, [30, 20]),
    ],
)
def test_a_merged_request_keeps_to_the_limits(desk, limits, sizes):
    destination = RecordingDestination()
    desk.add(*[b"x" * 10] * 5, records=4)
    desk.start(destination, DeliverySettings(**limits))
    desk.settled()

    assert [len(request) for request, _ in destination.requests] == sizes


def test_after_a_request_the_next_one_waits_to_grow_unless_it_is_hurried(desk):
    destination = RecordingDestination()
    desk.add(b"one ")
    delivery = desk.start(destination, DeliverySettings(pause_s=3600))
    desk.settled()
    for body in (b"two ", b"three"):
        desk.add(body)
        delivery.wake()
    assert destination.requests == [(b"one ", 1)]

    delivery.hurry()

    assert desk.settled() == SignalTally(accepted=3, sent=3)
    assert destination.requests == [(b"one ", 1), (b"two three", 2)]


def test_a_pause_that_was_hurried_does_not_come_again_after_a_retry(desk, wait_until):
    destination = RecordingDestination([Sent(), Retry(None, "busy")])
    desk.add(b"one")
    limits = {"first_backoff_s": 3600, "max_backoff_s": 3600}
    delivery = desk.start(destination, DeliverySettings(pause_s=3600, **limits))
    desk.settled()
    desk.add(b"two")
    delivery.hurry()
    wait_until(lambda: delivery.failures == 1)
    delivery.hurry()

    assert desk.settled() == SignalTally(accepted=2, sent=2)


def test_what_waits_for_a_pause_to_end_is_not_sent_by_a_stop(desk):
    destination = RecordingDestination()
    desk.add(b"one")
    delivery = desk.start(destination, DeliverySettings(pause_s=3600))
    desk.settled()
    desk.add(b"two")
    delivery.wake()

    assert delivery.stop(10)
    assert destination.requests == [(b"one", 1)]
    assert desk.spool.pending()[LOGS] == 1


def test_many_records_wait_for_no_pause(desk):
    destination = RecordingDestination()
    desk.add(b"one ")
    limits = {"many_records": 3, "merge_rows": 3}
    delivery = desk.start(destination, DeliverySettings(pause_s=3600, **limits))
    desk.settled()
    desk.add(b"a", b"b", b"c", b"d")
    delivery.wake()

    # What a full request leaves waits for none either.
    assert desk.settled() == SignalTally(accepted=5, sent=5)
    assert destination.requests[1:] == [(b"abc", 3), (b"d", 1)]


def test_a_request_is_never_larger_than_the_destination_takes(desk):
    destination = RecordingDestination(max_request_bytes=25)
    desk.add(b"x" * 10, b"y" * 26, b"z" * 10, records=3)
    delivery = desk.start(destination)

    assert desk.settled() == SignalTally(
        accepted=9, sent=6, dropped={DropReason.TOO_LARGE.value: 3}
    )
    assert [request for request, _ in destination.requests] == [b"x" * 10, b"z" * 10]
    assert delivery.last_error is None


def test_only_rows_of_its_own_signal_are_sent(desk):
    destination = RecordingDestination()
    desk.add(b"log")
    desk.spool.append([NewRow(Signal.TRACES, "", "data", 1, 1, "r", b"span")])
    desk.start(destination)
    desk.settled()

    assert destination.requests == [(b"log", 1)]
    assert desk.spool.pending()[Signal.TRACES] == 1


def test_rows_that_come_while_it_sleeps_are_sent_once_it_is_woken(desk):
    destination = RecordingDestination()
    delivery = desk.start(destination)
    for body in (b"one", b"two"):
        desk.add(body)
        delivery.wake()
        desk.settled()

    assert destination.requests == [(b"one", 1), (b"two", 1)]


def test_a_retry_keeps_the_rows_and_sends_them_again(desk):
    destination = RecordingDestination([Retry(None, "busy"), Retry(0.001, "busy")])
    desk.add(b"one")
    delivery = desk.start(destination)

    assert desk.settled() == SignalTally(accepted=1, sent=1)
    assert destination.requests == [(b"one", 1)] * 3
    assert delivery.last_error is None


def test_while_it_backs_off_new_rows_do_not_make_it_try_but_hurry_does(desk):
    destination = RecordingDestination([Retry(None, "busy")] * 2)
    desk.add(b"one ")
    delivery = desk.start(destination, _FOR_EVER)
    destination.wait_for_requests(1)
    desk.add(b"two")
    for _ in range(10):
        delivery.wake()
        time.sleep(0.005)
    assert destination.requests == [(b"one ", 1)]
    delivery.hurry()
    destination.wait_for_requests(2)
    delivery.hurry()

    assert desk.settled() == SignalTally(accepted=2, sent=2)
    assert destination.requests == [(b"one ", 1)] + [(b"one two", 2)] * 2


def test_what_the_receiver_asks_to_wait_is_waited(desk, wait_until):
    destination = RecordingDestination([Retry(3600, "busy")])
    desk.add(b"one")
    delivery = desk.start(destination)
    wait_until(lambda: delivery.last_error is not None)

    assert delivery.last_error == "busy; the records are kept, trying again"
    assert destination.requests == [(b"one", 1)]


def test_back_off_doubles_with_jitter_up_to_its_limit(desk):
    delivery = Delivery(LOGS, desk.spool, RecordingDestination(), desk.books)
    waits = [delivery._next_backoff(None) for _ in range(9)]

    for wait_s, top_s in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert top_s / 2 <= wait_s <= top_s
    assert delivery._next_backoff(7.5) == 7.5


def test_a_receiver_that_asks_for_no_wait_is_still_backed_off_from(desk):
    # "Retry-After: 0", or a date gone by, for ever: a loop without rest otherwise.
    delivery = Delivery(LOGS, desk.spool, RecordingDestination(), desk.books)
    waits = [delivery._next_backoff(0.0) for _ in range(3)]

    for wait_s, top_s in zip(waits, (1, 2, 4), strict=True):
        assert top_s / 2 <= wait_s <= top_s


def test_a_rejected_request_is_a_counted_drop(desk, wait_until, caplog):
    destination = RecordingDestination([Rejected("HTTP 500")])
    desk.add(b"one", records=3)
    delivery = desk.start(destination)

    assert desk.settled() == SignalTally(
        accepted=3, dropped={DropReason.REJECTED.value: 3}
    )
    wait_until(lambda: delivery.last_error is not None)
    assert delivery.last_error == "HTTP 500; 3 records are dropped"
    assert [r.getMessage() for r in caplog.records] == [
        "logs: HTTP 500; 3 records are dropped."
    ]


def test_a_merged_request_is_split_when_one_row_may_be_the_culprit(desk):
    bad = Rejected("HTTP 400", split=True)
    destination = RecordingDestination([bad, Sent(), bad, Sent()])
    desk.add(b"good ", b"bad ", b"fine", records=2)
    desk.start(destination)

    assert desk.settled() == SignalTally(
        accepted=6, sent=4, dropped={DropReason.REJECTED.value: 2}
    )
    assert [request for request, _ in destination.requests] == [
        b"good bad fine",
        b"good ",
        b"bad ",
        b"fine",
    ]


def test_a_retry_in_the_middle_of_a_split_keeps_the_rest(desk):
    bad = Rejected("HTTP 400", split=True)
    destination = RecordingDestination([bad, Sent(), Retry(None, "busy")])
    desk.add(b"one ", b"two ", b"three")
    desk.start(destination)

    assert desk.settled() == SignalTally(accepted=3, sent=3)
    assert destination.requests[-1] == (b"two three", 2)


def test_a_partial_success_counts_what_was_refused_and_hides_its_words(desk, caplog):
    destination = RecordingDestination([Sent(2, "secret words"), Sent(99)])
    desk.add(b"one", records=5)
    delivery = desk.start(destination)
    desk.settled()
    desk.add(b"two", records=3)
    delivery.wake()

    assert desk.settled() == SignalTally(
        accepted=8, sent=3, dropped={DropReason.REJECTED.value: 5}
    )
    assert "refused 2 records" in caplog.text
    assert "secret" not in caplog.text


def test_the_same_trouble_is_logged_once_a_minute(desk, caplog):
    destination = RecordingDestination([Retry(None, "busy")] * 20)
    desk.add(b"one")
    desk.start(destination)
    desk.settled()

    assert len(caplog.records) == 1


def test_rows_that_are_too_old_are_dropped_with_a_word_not_sent(desk, caplog):
    destination = RecordingDestination()
    desk.add(b"old", records=2)
    desk.clock.advance(3601)
    desk.add(b"new")
    desk.start(destination)

    assert desk.settled() == SignalTally(
        accepted=3, sent=1, dropped={DropReason.EXPIRED.value: 2}
    )
    assert destination.requests == [(b"new", 1)]
    assert caplog.messages == ["Records were lost: expired."]


def test_an_error_inside_a_destination_does_not_end_sending(desk):
    class Broken(RecordingDestination):
        def send(self, request, records):
            verdict = super().send(request, records)
            if len(self.requests) == 1:
                raise KeyError(request)
            return verdict

    destination = Broken()
    desk.add(b"one")
    desk.start(destination)

    assert desk.settled() == SignalTally(accepted=1, sent=1)


def test_a_spool_that_cannot_be_read_is_tried_again(desk, wait_until):
    destination = RecordingDestination()
    desk.add(b"one")
    desk.spool._connection.execute("ALTER TABLE rows RENAME TO gone")
    delivery = desk.start(destination)
    wait_until(lambda: delivery.last_error is not None)
    assert delivery.last_error.startswith("The spool cannot be used")
    with desk.spool._lock:
        desk.spool._connection.execute("ALTER TABLE gone RENAME TO rows")

    assert desk.settled() == SignalTally(accepted=1, sent=1)


def test_stop_ends_a_sleeping_and_a_waiting_thread_and_closes_the_destination(desk):
    sleeping, waiting = (
        RecordingDestination(),
        RecordingDestination([Retry(3600, "busy")]),
    )
    assert desk.start(sleeping).stop(10)
    desk.add(b"one")
    delivery = desk.start(waiting)
    waiting.wait_for_requests(1)

    assert delivery.stop(10)
    assert (sleeping.closed, waiting.closed) == (True, True)
    assert desk.books.tally().logs.pending == 1


def test_stop_leaves_a_send_that_hangs_behind_and_its_answer_harms_nothing(desk):
    answer_now = threading.Event()

    class Hanging(RecordingDestination):
        def send(self, request, records):
            verdict = super().send(request, records)
            answer_now.wait(30)
            return verdict

    destination = Hanging()
    desk.add(b"one")
    delivery = desk.start(destination)
    destination.wait_for_requests(1)

    assert not delivery.stop(0.01)
    desk.spool.close()
    answer_now.set()


def test_an_idle_delivery_sleeps_without_polling(desk, wait_until):
    class Counting(Spool):
        leases = 0

        def lease(self, *args, **kwargs):
            self.leases += 1
            return super().lease(*args, **kwargs)

    desk.spool.close()
    desk.spool = Counting(
        None, max_bytes=99, max_age_s=9, when_full="drop", synchronous=False
    )
    desk.start(RecordingDestination())
    wait_until(lambda: desk.spool.leases == 1)
    time.sleep(0.2)

    assert desk.spool.leases == 1
