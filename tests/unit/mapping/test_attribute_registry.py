"""The published attribute registry, held to the code, the overlays and the SDK."""

import importlib
import pkgutil
from pathlib import Path

import pytest
import yaml
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.semconv import _incubating

from jupyter_otel.event import (
    Provenance,
    RedactedEvent,
    Slot,
    Source,
    SpanContext,
    Trust,
)
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.mapping.resource import resource_bytes
from jupyter_otel.schema import Node, Overlay, Schema, SpanError, SpanRule
from jupyter_otel.sources.otlp_relay import stamps

SCHEMAS = Path(__file__).parents[3] / "schemas"
REGISTRY = yaml.safe_load((SCHEMAS / "conventions/attributes.yaml").read_text("utf-8"))
TYPES = {"string": str, "int": int, "double": float, "boolean": bool, "any": object}


@pytest.mark.parametrize("name", REGISTRY)
def test_an_entry_says_all_that_its_reader_needs(name):
    entry = REGISTRY[name]

    assert list(entry) == [
        "type",
        "defined_by",
        "stability",
        "set_on",
        "brief",
        "example",
    ]
    assert entry["defined_by"] in ("opentelemetry", "jupyter-otel")
    assert entry["stability"] in ("stable", "development")
    assert entry["set_on"] in (
        ["log_record", "span"],
        ["log_record", "span", "resource"],
        ["resource"],
    )
    assert isinstance(entry["example"], TYPES[entry["type"]])


def test_what_opentelemetry_defines_is_in_its_conventions_and_the_rest_is_not():
    conventions = semantic_conventions()

    for name, entry in REGISTRY.items():
        assert (name in conventions) == (entry["defined_by"] == "opentelemetry"), name


@pytest.mark.parametrize("user", ["user.hash", "user.name"])
def test_the_mapper_sets_no_attribute_that_is_not_registered(user):
    error = SpanError(("status",), frozenset({"bad"}), ())
    overlay = Overlay(span=SpanRule(duration_ms=("ms",), error=error))
    schema = Schema("https://a/b/v1", "1", "package", "", {}, Node(), overlay)
    slots = (Slot(("status",), None), Slot(("ms",), None))
    provenance = Provenance(Source.APP, Trust.SERVER, (user, "jo"))
    event = RedactedEvent(provenance, ["bad", 1], 1, 1, None)
    mapper = Mapper(
        start_span=lambda: SpanContext(bytes(16), bytes(8)),
        log_limits=AttributeLimits(),
        span_limits=AttributeLimits(),
    )

    record = LogRecord.FromString(mapper.compile(schema, slots).map(event).log_record)

    names = {pair.key for pair in record.attributes}
    assert {"error.type", user} <= names
    assert {name for name in names if not is_registered(name, "log_record")} == set()


def test_the_resource_has_no_attribute_that_is_not_registered(monkeypatch):
    for name in ("OTEL_RESOURCE_ATTRIBUTES", "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"):
        monkeypatch.delenv(name, raising=False)
    resource = Resource.FromString(resource_bytes({}, service_name="x"))

    names = {pair.key for pair in resource.attributes}
    assert names == {
        name for name in REGISTRY if REGISTRY[name]["set_on"] == ["resource"]
    }


def test_the_relay_stamps_what_is_registered_for_it_and_no_more():
    stamped = {
        *stamps("k1", ("user.hash", "a")),
        *stamps("k1", ("user.name", "a")),
    }

    on_all = ["log_record", "span", "resource"]
    assert stamped == {name for name in REGISTRY if REGISTRY[name]["set_on"] == on_all}


def test_the_overlays_name_no_attribute_that_is_not_registered():
    names = {
        rule["attribute"]
        for file in (SCHEMAS / "overlays").glob("*.yaml")
        for overlay in yaml.safe_load(file.read_text("utf-8"))["schemas"].values()
        for rule in overlay.get("properties", {}).values()
        if isinstance(rule, dict) and "attribute" in rule
    }

    assert {name for name in names if not is_registered(name, "log_record")} == set()


def is_registered(name, place):
    known = {key for key, entry in REGISTRY.items() if place in entry["set_on"]}
    return name in known or name.startswith("jupyter.event.")


def semantic_conventions():
    """Return every attribute name in the conventions that the SDK brings."""
    package = importlib.import_module(f"{_incubating.__name__}.attributes")
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]
    return {
        value
        for module in modules
        for key, value in vars(module).items()
        if key.isupper() and isinstance(value, str)
    }
