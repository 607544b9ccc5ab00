import functools

import pytest

from jupyter_otel.sources.request_log import class_of, method_of, watched
from tests.unit.sources.requests import ThingHandler, handler_of


def test_the_other_log_function_is_called_first_and_its_answer_kept():
    calls = []

    def log(handler):
        calls.append(("log", handler))
        return "logged"

    both = watched(log, *(lambda h, n=n: calls.append((n, h)) for n in (1, 2)))

    assert both("a request") == "logged"
    assert calls == [("log", "a request"), (1, "a request"), (2, "a request")]


def test_an_error_of_the_other_log_function_goes_on_and_the_request_is_seen():
    seen = []

    def log(_handler):
        raise LookupError("theirs")

    with pytest.raises(LookupError, match="theirs"):
        watched(log, seen.append)("a request")
    assert seen == ["a request"]


@pytest.mark.swallows
def test_an_error_of_a_watcher_reaches_neither_the_server_nor_the_next(swallowed):
    seen = []

    def fail(_handler):
        raise ValueError("a token")

    watched(lambda _handler: None, fail, seen.append)("a request")

    assert seen == ["a request"]
    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: the watch over requests went on without: "
        "ValueError at test_request_log.py:"
    )


def test_a_partial_can_be_wrapped_as_jupyter_servers_is():
    log = functools.partial(lambda handler, record: (handler, record), record=True)

    assert watched(log)("a request") == ("a request", True)
    assert watched(log).__wrapped__ is log


@pytest.mark.parametrize(
    ("method", "named"),
    [
        ("GET", "GET"),
        ("PATCH", "PATCH"),
        ("PROPFIND", "_OTHER"),
        ("get", "_OTHER"),
        ("my-password", "_OTHER"),
        (None, "_OTHER"),
    ],
)
def test_a_method_that_http_does_not_know_has_no_name(method, named):
    assert method_of(handler_of(method=method)) == named


def test_a_handler_is_named_by_its_class_if_that_is_a_name():
    odd = type("/home/ann", (ThingHandler,), {})

    assert class_of(handler_of()) == "ThingHandler"
    assert class_of(handler_of(odd)) == "unnamed"
