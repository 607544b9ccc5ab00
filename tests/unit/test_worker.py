import threading
import time

from jupyter_otel.worker import MAX_BATCH, Worker


def nobody(batch, error):
    raise AssertionError("nothing should be lost")


def test_everything_put_is_worked_on_once_in_order():
    seen = []
    worker = Worker(1, seen.extend, nobody)
    worker.start()

    assert all(worker.put((number,), 1) for number in range(5000))
    assert worker.finish(5)

    assert seen == [(number,) for number in range(5000)]
    assert list(worker.stop(5)) == []


def test_no_batch_is_larger_than_the_bound():
    sizes = []
    worker = Worker(1, lambda batch: sizes.append(len(batch)), nobody)
    for number in range(2 * MAX_BATCH + 1):
        worker.put((number,), 1)
    worker.start()

    worker.finish(5)
    worker.stop(5)

    assert sizes == [MAX_BATCH, MAX_BATCH, 1]


def test_a_full_queue_takes_nothing_more():
    by_count = Worker(1, list, nobody, max_items=2)
    by_bytes = Worker(1, list, nobody, max_bytes=10)

    assert [by_count.put(("x",), 1) for _ in range(3)] == [True, True, False]
    assert [by_bytes.put(("x",), size) for size in (6, 6, 4)] == [True, False, True]


def test_what_matters_less_is_turned_away_sooner():
    shares = {"click": 0.75, "run": 1.0}
    worker = Worker(1, list, nobody, max_items=8, share=lambda item: shares[item[0]])

    taken = [worker.put(("click",), 1) for _ in range(8)]
    taken_then = [worker.put((name,), 1) for name in ("run", "click", "run", "run")]

    assert taken == [True] * 6 + [False] * 2
    assert taken_then == [True, False, True, False]


def test_what_matters_less_leaves_bytes_to_the_rest_too():
    shares = {"click": 0.75, "run": 1.0}
    worker = Worker(1, list, nobody, max_bytes=100, share=lambda item: shares[item[0]])

    asked = [("click", 70), ("click", 10), ("run", 10), ("click", 1), ("run", 21)]
    assert [worker.put((name,), size) for name, size in asked] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_finish_says_when_it_took_too_long():
    go_on = threading.Event()
    worker = Worker(1, lambda batch: go_on.wait(10), nobody)
    worker.start()
    worker.put(("slow",), 1)

    assert not worker.finish(0.05)

    go_on.set()
    assert worker.finish(5)
    worker.stop(5)


def test_a_batch_that_fails_is_handed_back_and_the_next_is_worked_on():
    seen, lost = [], []

    def work(batch):
        if ("bad",) in batch:
            raise ValueError
        seen.extend(batch)

    worker = Worker(
        1, work, lambda batch, error: lost.append((list(batch), type(error)))
    )
    worker.start()
    worker.put(("bad",), 1)
    worker.finish(5)
    worker.put(("good",), 1)
    worker.finish(5)
    worker.stop(5)

    assert (seen, lost) == ([("good",)], [([("bad",)], ValueError)])


def test_stopping_works_on_what_is_queued_and_takes_nothing_more():
    seen = []
    worker = Worker(1, seen.extend, nobody, linger_s=60)
    worker.start()
    worker.put(("last",), 1)

    assert list(worker.stop(5)) == []

    assert seen == [("last",)]
    assert not worker.put(("late",), 1)


def test_what_a_hanging_worker_leaves_is_returned():
    go_on, began = threading.Event(), threading.Event()

    def work(batch):
        began.set()
        go_on.wait(10)

    worker = Worker(1, work, nobody, linger_s=0)
    worker.start()
    worker.put(("in hand",), 1)
    began.wait(5)
    worker.put(("left",), 1)

    assert list(worker.stop(0.05)) == [("left",)]
    go_on.set()


def test_many_threads_lose_nothing():
    seen = []
    worker = Worker(2, seen.extend, nobody)
    worker.start()

    def put(name):
        for number in range(500):
            worker.put((name, number), 1)

    threads = [threading.Thread(target=put, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.finish(5)
    worker.stop(5)

    assert sorted(seen) == [(name, n) for name in range(8) for n in range(500)]


class Diary:
    """Notes what a worker does, in order."""

    def __init__(self):
        self.notes = []
        self._changed = threading.Condition()

    def work(self, batch):
        """Note a batch."""
        self.note("work")

    def settle(self):
        """Note that it was time to settle."""
        self.note("settle")

    def note(self, what):
        """Add a note."""
        with self._changed:
            self.notes.append(what)
            self._changed.notify_all()

    def wait_for(self, notes):
        """Return once these are all the notes."""
        with self._changed:
            self._changed.wait_for(lambda: self.notes == notes, 5)
        assert self.notes == notes


def test_a_batch_is_settled_once_though_nothing_new_comes():
    diary = Diary()
    worker = Worker(
        1, diary.work, nobody, linger_s=0, settle=diary.settle, settle_s=0.01
    )
    worker.start()

    worker.put(("one",), 1)
    diary.wait_for(["work", "settle"])
    time.sleep(0.05)  # in which a thread that polls would settle again
    worker.put(("two",), 1)
    diary.wait_for(["work", "settle"] * 2)
    assert worker.finish(5)
    assert diary.notes == ["work", "settle"] * 2
    worker.stop(5)


def test_settling_does_not_wait_for_a_batch_that_lingers():
    diary = Diary()
    worker = Worker(1, diary.work, nobody, linger_s=60, settle=diary.settle)
    worker.start()
    worker.put(("one",), 1)
    worker.finish(5)
    worker.put(("two",), 1)

    diary.wait_for(["work", "settle"])
    worker.stop(5)


def test_settling_does_not_wait_for_the_queue_to_be_empty():
    diary = Diary()
    worker = Worker(1, diary.work, nobody, settle=diary.settle, settle_s=0)
    for number in range(4 * MAX_BATCH):
        worker.put((number,), 1)
    worker.start()
    worker.finish(5)
    worker.stop(5)

    assert "settle" in diary.notes[:3]


def test_stopping_settles_last():
    diary = Diary()
    worker = Worker(1, diary.work, nobody, settle=diary.settle, settle_s=60)
    worker.start()
    worker.put(("last",), 1)
    worker.stop(5)

    assert diary.notes == ["work", "settle"]


def test_settling_that_fails_does_not_end_the_thread():
    lost = []
    diary = Diary()

    def settle():
        diary.note("settle")
        raise ValueError

    worker = Worker(
        1,
        diary.work,
        lambda batch, error: lost.append((list(batch), type(error))),
        linger_s=0,
        settle=settle,
        settle_s=0,
    )
    worker.start()
    worker.put(("one",), 1)
    diary.wait_for(["work", "settle"])
    worker.put(("two",), 1)
    diary.wait_for(["work", "settle"] * 2)
    worker.stop(5)

    assert lost == [([], ValueError)] * 3


def test_a_report_of_a_loss_that_fails_does_not_end_the_thread():
    seen = []

    def work(batch):
        if ("bad",) in batch:
            raise ValueError
        seen.extend(batch)

    def fail(batch, error):
        raise error

    worker = Worker(1, work, fail, linger_s=0)
    worker.start()
    for item in ("bad", "good"):
        worker.put((item,), 1)
        assert worker.finish(5)
    worker.stop(5)

    assert seen == [("good",)]


def test_the_thread_does_not_wait_for_itself():
    answers = []
    worker = Worker(1, lambda batch: answers.append(worker.finish(600)), nobody)
    worker.start()
    worker.put(("one",), 1)

    assert worker.finish(5)
    worker.stop(5)
    assert answers == [False]
