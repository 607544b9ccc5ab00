from types import SimpleNamespace

import pytest

from jupyter_otel.config import OtelTraces
from jupyter_otel.hosts.server.kernel_environment import (
    KernelEnvironment,
    change_kernel_environments,
    kernel_mode,
    take_hand_over,
)

SERVERS = {
    "OTEL_SERVICE_NAME": "jupyter",
    "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=hub,team=physics",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=secret",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/etc/key.pem",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://user:secret@collector:4318/v1/logs",
    "OTEL_TRACES_SAMPLER": "always_on",
    "TRACEPARENT": f"00-{'0a' * 16}-{'0b' * 8}-01",
    "TRACESTATE": "a=b",
    "HOME": "/home/ann",
}
WITHOUT_RELAY = {
    "OTEL_RESOURCE_ATTRIBUTES": "team=physics",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "OTEL_TRACES_SAMPLER": "always_on",
    "HOME": "/home/ann",
    "JUPYTER_OTEL_KERNEL": "context",
}
RELAYS = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:8888/otel",
    "OTEL_EXPORTER_OTLP_HEADERS": "token=of-k1",
}


@pytest.fixture(autouse=True)
def _server(monkeypatch):
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)


def relay(kernel_id):
    return RELAYS | {"OTEL_EXPORTER_OTLP_HEADERS": f"token=of-{kernel_id}"}


def test_what_speaks_for_the_server_alone_stays_with_it():
    assert KernelEnvironment("context").of(SERVERS, "k1", {}) == WITHOUT_RELAY


def test_with_a_relay_it_is_the_only_receiver():
    environ = KernelEnvironment("spans", relay).of(SERVERS, "k1", {})

    assert environ == {
        "OTEL_RESOURCE_ATTRIBUTES": "team=physics",
        "OTEL_TRACES_SAMPLER": "always_on",
        "HOME": "/home/ann",
        "JUPYTER_OTEL_KERNEL": "spans",
        **RELAYS,
    }


def test_what_was_set_for_one_kernel_stays():
    environ = SERVERS | {"OTEL_SERVICE_NAME": "model", "JUPYTER_OTEL_KERNEL": "off"}

    made = KernelEnvironment("context").of(environ, "k1", {})

    assert made == WITHOUT_RELAY | {"OTEL_SERVICE_NAME": "model"}


@pytest.mark.parametrize(
    "spec",
    [
        {"OTEL_EXPORTER_OTLP_HEADERS": "a=b"},
        {"MY_HEADERS": "${OTEL_EXPORTER_OTLP_HEADERS}"},
    ],
)
def test_what_a_kernelspec_names_stays_and_the_relays_token_goes_nowhere_else(spec):
    made = KernelEnvironment("context", relay).of(SERVERS, "k1", spec)

    assert made == {
        "OTEL_RESOURCE_ATTRIBUTES": "team=physics",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
        "OTEL_TRACES_SAMPLER": "always_on",
        "HOME": "/home/ann",
        "JUPYTER_OTEL_KERNEL": "context",
    }


def test_a_trace_that_a_kernelspec_or_who_starts_a_kernel_names_is_the_kernels():
    started = SERVERS | {"TRACEPARENT": f"00-{'0c' * 16}-{'0d' * 8}-01"}
    spec = {"TRACEPARENT": "${TRACEPARENT}"}

    of_one = KernelEnvironment("context").of(started, "k1", {})
    of_spec = KernelEnvironment("context").of(SERVERS, "k1", spec)

    assert of_one == WITHOUT_RELAY | {"TRACEPARENT": started["TRACEPARENT"]}
    assert of_spec == WITHOUT_RELAY | {"TRACEPARENT": SERVERS["TRACEPARENT"]}


def test_a_receiver_set_for_one_kernel_gets_no_token_of_ours():
    own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://elsewhere/v1/traces"}

    assert KernelEnvironment("context", relay).of(own, "k1", {}) == own | {
        "JUPYTER_OTEL_KERNEL": "context"
    }


def test_a_kernel_without_an_id_gets_no_token():
    made = KernelEnvironment("context", relay).of({}, "", {})

    assert made == {"JUPYTER_OTEL_KERNEL": "context"}


def test_a_kernel_is_told_of_no_traces_where_there_are_none():
    assert kernel_mode(OtelTraces()) == "context"
    assert kernel_mode(OtelTraces(kernel="spans")) == "spans"
    assert kernel_mode(OtelTraces(kernel="spans", enabled=False)) == "off"


def test_what_a_hub_handed_over_is_taken_out_and_nothing_else():
    environ = {
        "JUPYTER_OTEL_TRACEPARENT": "00-1-2-01",
        "JUPYTER_OTEL_KERNEL": "off",
        "HOME": "/home/ann",
    }

    assert take_hand_over(environ) == {"JUPYTER_OTEL_TRACEPARENT": "00-1-2-01"}
    assert environ == {"JUPYTER_OTEL_KERNEL": "off", "HOME": "/home/ann"}


class OwnKernelManager:
    """A kernel manager of a deployment's own."""

    kernel_id = "k1"

    def __init__(self, **traits):
        self.kernel_spec = SimpleNamespace(env={})
        self.started, self.traits = [], traits

    def start_kernel(self, **kwargs):
        """Remember it."""
        self.started.append(kwargs)
        return "started"


def make_server(make, *, gateway=False):
    return SimpleNamespace(
        kernel_manager=SimpleNamespace(kernel_manager_factory=make),
        gateway_config=SimpleNamespace(gateway_enabled=gateway),
    )


def test_a_kernel_manager_of_ones_own_stays_the_base():
    server = make_server(OwnKernelManager)
    change_kernel_environments(server, KernelEnvironment("off"))

    manager = server.kernel_manager.kernel_manager_factory(transport="ipc")
    said = manager.start_kernel(env={"A": "b"}, cwd="/")

    assert isinstance(manager, OwnKernelManager)
    assert manager.traits == {"transport": "ipc"}
    env = {"A": "b", "JUPYTER_OTEL_KERNEL": "off"}
    assert (said, manager.started) == ("started", [{"env": env, "cwd": "/"}])


def test_kernels_behind_a_gateway_are_the_gateways():
    server = make_server(OwnKernelManager, gateway=True)

    change_kernel_environments(server, KernelEnvironment("off"))

    assert server.kernel_manager.kernel_manager_factory is OwnKernelManager
