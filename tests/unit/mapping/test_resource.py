"""Resource and scope, as a receiver reads them."""

import os
import sys
import uuid

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.sdk.version import __version__ as sdk_version

from jupyter_otel._version import __version__
from jupyter_otel.event import Source
from jupyter_otel.mapping.resource import resource_bytes, scope_bytes

SDK = {
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": sdk_version,
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def resource(attributes=None, service_name="jupyter-server"):
    message = Resource.FromString(
        resource_bytes(attributes or {}, service_name=service_name)
    )
    return {pair.key: plain(pair.value) for pair in message.attributes}


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind)


def test_a_process_that_nobody_named_has_the_hosts_name_and_the_sdks_attributes():
    found = resource(service_name="jupyterhub")

    instance = found.pop("service.instance.id")
    assert found == {**SDK, "service.name": "jupyterhub"}
    assert uuid.UUID(instance).version == 4


def test_one_process_is_one_instance():
    first, second = resource(), resource()

    assert first["service.instance.id"] == second["service.instance.id"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_another_instance():
    mine, (reader, writer) = resource()["service.instance.id"], os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, resource()["service.instance.id"].encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert uuid.UUID(os.read(reader, 36).decode()) != uuid.UUID(mine)


def test_the_environment_names_the_service_and_adds_to_it(monkeypatch):
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=other,service.instance.id=seven,team=a%2Cb",
    )
    monkeypatch.setenv("OTEL_SERVICE_NAME", "lab")

    assert resource() == {
        **SDK,
        "service.name": "lab",
        "service.instance.id": "seven",
        "team": "a,b",
    }


def test_a_service_name_among_the_resource_attributes_counts(monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=other")

    assert resource()["service.name"] == "other"


def test_attributes_of_the_host_win_over_the_environment_as_in_the_sdk(monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=seven,n=0")

    found = resource(
        {"service.instance.id": "8", "n": 1, "r": 0.5, "on": True, "l": ["a", 1]}
    )

    assert found == {
        **SDK,
        "service.name": "jupyter-server",
        "service.instance.id": "8",
        "n": 1,
        "r": 0.5,
        "on": True,
        "l": ["a", 1],
    }


def test_detectors_run_where_they_are_named_but_the_command_line_never_leaves(
    monkeypatch,
):
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process,os")
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES",
        "process.command_line=lab --token=t,process.command_args=--token=t",
    )

    found = resource()

    assert found["process.pid"] == os.getpid()
    assert found["os.type"] == sys.platform.rstrip("0123456789")
    assert not {"process.command_line", "process.command_args"} & found.keys()


def test_no_detector_looks_at_the_process_unless_it_is_named():
    assert not [key for key in resource() if key.startswith(("process.", "host."))]


def test_an_environment_in_no_encoding_still_gives_a_resource(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", os.fsdecode(b"lab\xff"))

    assert resource()["service.name"] == "lab?"


@pytest.mark.parametrize("source", Source)
def test_a_scope_is_named_after_its_source_and_has_our_version(source):
    scope = InstrumentationScope.FromString(scope_bytes(source))

    assert scope == InstrumentationScope(
        name=f"jupyter_otel.{source}", version=__version__
    )
