"""Reading and writing W3C Trace Context, and what else OTEL_PROPAGATORS names."""

import json
import logging
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context

from jupyter_otel.event import SpanContext
from jupyter_otel.tracing.propagation import (
    as_context,
    read_parent,
    surrounding_span,
    write_headers,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
PARENT = SpanContext(bytes.fromhex(TRACE), bytes.fromhex(SPAN))


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    monkeypatch.delenv("OTEL_PROPAGATORS", raising=False)


def test_a_traceparent_names_the_parent():
    assert read_parent({"traceparent": TRACEPARENT}) == PARENT


def test_an_unsampled_parent_stays_unsampled():
    carrier = {"traceparent": f"00-{TRACE}-{SPAN}-00"}

    assert read_parent(carrier) == PARENT._replace(sampled=False)


def test_flags_other_than_sampled_are_not_read_as_sampled():
    carrier = {"traceparent": f"00-{TRACE}-{SPAN}-02"}

    assert read_parent(carrier) == PARENT._replace(sampled=False)


def test_a_later_version_is_read_as_far_as_it_is_known():
    assert read_parent({"traceparent": f"cc-{TRACE}-{SPAN}-01-more"}) == PARENT


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"{TRACEPARENT},{TRACEPARENT}",
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 500,
        None,
        7,
        [TRACEPARENT],
        {"traceparent": TRACEPARENT},
    ],
)
def test_an_invalid_traceparent_is_no_parent(value):
    assert read_parent({"traceparent": value}) is None


def test_a_client_cannot_fill_the_log_with_long_headers(caplog):
    assert read_parent({"traceparent": "x" * 10_000}) is None
    assert caplog.records == []


def test_no_header_is_no_parent():
    assert read_parent({}) is None


@given(st.dictionaries(st.sampled_from(["traceparent", "b3"]), st.text()))
def test_no_text_makes_reading_fail(carrier):
    assert read_parent(carrier) is None


def test_tracestate_and_baggage_are_never_looked_up():
    class Carrier(dict):
        asked = ()

        def get(self, key, default=None):
            self.asked += (key,)
            return super().get(key, default)

    carrier = Carrier(traceparent=TRACEPARENT, tracestate="a=b", baggage="user=me")

    assert read_parent(carrier) == PARENT
    assert carrier.asked == ("traceparent",)


def test_only_the_traceparent_is_written():
    assert write_headers(PARENT) == {"traceparent": TRACEPARENT}


def test_what_is_written_is_read_back_without_its_own_parent():
    span = PARENT._replace(parent_span_id=b"12345678", sampled=False)

    assert read_parent(write_headers(span)) == span._replace(parent_span_id=b"")


def test_what_is_written_fits_into_a_kernel_messages_metadata():
    assert json.loads(json.dumps(write_headers(PARENT))) == {"traceparent": TRACEPARENT}


@pytest.mark.parametrize("setting", ["none", "tracecontext, none"])
def test_propagation_can_be_switched_off(monkeypatch, caplog, setting):
    monkeypatch.setenv("OTEL_PROPAGATORS", setting)

    assert read_parent({"traceparent": TRACEPARENT}) is None
    assert write_headers(PARENT) == {}
    assert caplog.records == []


def test_baggage_alone_carries_nothing(monkeypatch):
    monkeypatch.setenv("OTEL_PROPAGATORS", "baggage")

    assert read_parent({"traceparent": TRACEPARENT, "baggage": "a=b"}) is None
    assert write_headers(PARENT) == {}


def test_an_unknown_propagator_is_one_warning_and_the_others_work(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_PROPAGATORS", " tracecontext , pigeon,,baggage")

    with caplog.at_level(logging.WARNING):
        parents = [read_parent({"traceparent": TRACEPARENT}) for _ in range(3)]

    assert parents == [PARENT] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "OTEL_PROPAGATORS names 'pigeon', not usable here: ignored."
    ]


@pytest.mark.parametrize("body", ["Multiple = dict", "raise ImportError"])
def test_an_installed_propagator_that_cannot_be_loaded_is_ignored(
    monkeypatch, tmp_path, caplog, body
):
    install(monkeypatch, tmp_path, name=f"broken{len(body)}", body=body)

    assert read_parent({"traceparent": TRACEPARENT}) == PARENT
    assert "not usable here" in caplog.text


def test_an_installed_propagator_is_used_beside_the_standard_one(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path, name="singleton", body=SINGLE_HEADER)

    assert read_parent({"single": f"{TRACE}/{SPAN}"}) == PARENT
    assert write_headers(PARENT) == {
        "traceparent": TRACEPARENT,
        "single": f"{TRACE}/{SPAN}",
    }


def install(monkeypatch, folder, *, name, body):
    """Make a distribution with one propagator, and name it in the environment."""
    (folder / f"{name}_propagator.py").write_text(body)
    metadata = folder / f"{name}-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        f"[opentelemetry_propagator]\n{name} = {name}_propagator:Single\n"
    )
    monkeypatch.syspath_prepend(os.fspath(folder))
    monkeypatch.setenv("OTEL_PROPAGATORS", f"tracecontext,{name}")


SINGLE_HEADER = '''
from opentelemetry import trace
from opentelemetry.propagators.textmap import TextMapPropagator


class Single(TextMapPropagator):
    """``single: <trace id>/<span id>``"""

    fields = {"single"}

    def extract(self, carrier, context=None, getter=None):
        for header in getter.get(carrier, "single") or []:
            trace_id, span_id = (int(part, 16) for part in header.split("/"))
            span = trace.SpanContext(trace_id, span_id, True, trace.TraceFlags(1))
            return trace.set_span_in_context(trace.NonRecordingSpan(span), context)
        return context

    def inject(self, carrier, context=None, setter=None):
        span = trace.get_current_span(context).get_span_context()
        carrier["single"] = f"{span.trace_id:032x}/{span.span_id:016x}"
'''


def test_a_run_is_in_the_span_that_traceparent_names():
    assert surrounding_span({"TRACEPARENT": TRACEPARENT}) == PARENT


def test_the_process_s_own_current_span_comes_first():
    current = as_context(SpanContext(b"c" * 16, b"d" * 8))
    token = context.attach(current)
    try:
        found = surrounding_span({"TRACEPARENT": TRACEPARENT})
    finally:
        context.detach(token)

    assert found == SpanContext(b"c" * 16, b"d" * 8)


@pytest.mark.parametrize("environ", [{}, {"TRACEPARENT": "no"}, {"TRACESTATE": "a=b"}])
def test_without_either_there_is_no_surrounding_span(environ):
    assert surrounding_span(environ) is None
