from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.config import OtelExport
from jupyter_otel.environment import export_settings, sdk_disabled
from jupyter_otel.tally import Signal

BASE = "OTEL_EXPORTER_OTLP_"


def read(environ=None, signal=Signal.LOGS, **traits):
    return export_settings(signal, OtelExport(**traits), environ or {})


def endpoint(environ=None, signal=Signal.LOGS, **traits):
    found = read(environ, signal, **traits)
    assert found.warnings == ()
    return found.settings.kind, found.settings.endpoint


@pytest.mark.parametrize("signal", Signal)
def test_out_of_the_box_a_signal_goes_to_the_directory(signal):
    found = read(signal=signal, directory="/d")
    assert found.warnings == ()
    assert found.settings.kind == "directory"
    assert found.settings.directory == Path("/d")
    assert found.settings.protocol == "http/protobuf"
    assert (found.settings.compression, found.settings.timeout_s) == ("none", 10)


# Each row: environment, traits, kind and endpoint of log records.
@pytest.mark.parametrize(
    ("environ", "traits", "expected"),
    [
        ({BASE + "ENDPOINT": "http://e:1"}, {}, ("otlp", "http://e:1/v1/logs")),
        ({BASE + "ENDPOINT": "http://e:1/"}, {}, ("otlp", "http://e:1/v1/logs")),
        ({BASE + "ENDPOINT": "http://e/x"}, {}, ("otlp", "http://e/x/v1/logs")),
        ({BASE + "LOGS_ENDPOINT": "http://s:1/in"}, {}, ("otlp", "http://s:1/in")),
        ({BASE + "TRACES_ENDPOINT": "http://s:1"}, {}, ("directory", "")),
        ({BASE + "ENDPOINT": "  "}, {}, ("directory", "")),
        (
            {BASE + "ENDPOINT": "http://e", BASE + "LOGS_ENDPOINT": "http://s/y"},
            {},
            ("otlp", "http://s/y"),
        ),
        (
            {BASE + "LOGS_ENDPOINT": "http://s/y"},
            {"endpoint": "http://t"},
            ("otlp", "http://t/v1/logs"),
        ),
        (
            {BASE + "LOGS_ENDPOINT": "http://s/y"},
            {"endpoint": "http://t", "logs_endpoint": "http://u/z"},
            ("otlp", "http://u/z"),
        ),
        ({"OTEL_LOGS_EXPORTER": "otlp"}, {}, ("otlp", "http://localhost:4318/v1/logs")),
        (
            {"OTEL_LOGS_EXPORTER": "otlp", BASE + "PROTOCOL": "grpc"},
            {},
            ("otlp", "http://localhost:4317"),
        ),
        ({}, {"endpoint": "http://t/a/?k=v"}, ("otlp", "http://t/a/v1/logs?k=v")),
        ({"OTEL_LOGS_EXPORTER": "console"}, {"endpoint": "http://t"}, ("console", "")),
        ({"OTEL_LOGS_EXPORTER": " None "}, {}, ("none", "")),
        ({"OTEL_TRACES_EXPORTER": "none"}, {}, ("directory", "")),
        (
            {BASE + "ENDPOINT": "http://e:4317", BASE + "LOGS_PROTOCOL": "grpc"},
            {},
            ("otlp", "http://e:4317"),
        ),
        (
            {BASE + "ENDPOINT": "e:4317", BASE + "PROTOCOL": "grpc"},
            {},
            ("otlp", "https://e:4317"),
        ),
        (
            {BASE + "ENDPOINT": "e:4317", BASE + "INSECURE": "true"},
            {"protocol": "grpc"},
            ("otlp", "http://e:4317"),
        ),
        (
            {BASE + "LOGS_INSECURE": "false", BASE + "INSECURE": "true"},
            {"protocol": "grpc", "endpoint": "http://t:4317"},
            ("otlp", "http://t:4317"),
        ),
    ],
)
def test_traits_beat_variables_and_the_signals_own_beat_the_generic(
    environ, traits, expected
):
    assert endpoint(environ, **traits) == expected


@given(
    signal=st.sampled_from([Signal.LOGS, Signal.TRACES]),
    set_places=st.sets(st.sampled_from(["trait", "signal variable", "variable"])),
    signal_trait=st.booleans(),
)
def test_headers_come_from_the_first_place_that_sets_them(
    signal, set_places, signal_trait
):
    traits, environ, expected = {}, {}, {}
    if "variable" in set_places:
        environ[BASE + "HEADERS"] = "from=variable"
        expected = {"from": "variable"}
    if "signal variable" in set_places:
        environ[f"{BASE}{signal.upper()}_HEADERS"] = "from=signal%20variable"
        expected = {"from": "signal variable"}
    if "trait" in set_places:
        traits["headers"] = expected = {"from": "trait"}
    if signal_trait:
        traits[f"{signal}_headers"] = expected = {"from": "signal trait"}
    found = read(environ, signal, **traits)
    assert found.settings.headers == expected
    assert found.warnings == ()


def test_every_other_variable_is_read(tmp_path):
    pem = tmp_path / "x.pem"
    pem.touch()
    settings = read(
        {
            BASE + "HEADERS": "Api-Key=a%3Db, x = y ,",
            BASE + "TIMEOUT": "2.5",
            BASE + "LOGS_COMPRESSION": "GZIP",
            BASE + "CERTIFICATE": str(pem),
            BASE + "CLIENT_CERTIFICATE": str(pem),
            BASE + "CLIENT_KEY": str(pem),
        }
    ).settings
    assert settings.headers == {"api-key": "a=b", "x": "y"}
    assert (settings.timeout_s, settings.compression) == (2.5, "gzip")
    assert settings.certificate_file == pem
    assert settings.client_certificate_file == pem
    assert settings.client_key_file == pem


@pytest.mark.parametrize(
    ("variable", "value", "warning"),
    [
        (
            BASE + "ENDPOINT",
            "me:s3cret@localhost:4318",
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL that begins with http:// or "
                "https://, got '***@localhost:4318'. It is ignored. Write "
                "http://***@localhost:4318 or https://…"
            ),
        ),
        (
            BASE + "LOGS_PROTOCOL",
            "http",
            (
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL must be one of http/protobuf, "
                "http/json, grpc, got 'http'. It is ignored."
            ),
        ),
        (
            BASE + "TIMEOUT",
            "10s",
            (
                "OTEL_EXPORTER_OTLP_TIMEOUT must be a number of seconds above 0, got "
                "'10s'. It is ignored."
            ),
        ),
        (
            BASE + "COMPRESSION",
            "zstd",
            (
                "OTEL_EXPORTER_OTLP_COMPRESSION must be one of none, gzip, deflate, "
                "got 'zstd'. It is ignored."
            ),
        ),
        (
            BASE + "HEADERS",
            "a=b,s3cret",
            (
                "OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs with commas "
                "between, but number 2 is none. It is ignored."
            ),
        ),
        (
            BASE + "CERTIFICATE",
            "/nowhere.pem",
            (
                "OTEL_EXPORTER_OTLP_CERTIFICATE must be a file that can be read, got "
                "'/nowhere.pem' (No such file or directory). It is ignored."
            ),
        ),
        (
            "OTEL_LOGS_EXPORTER",
            "zipkin",
            (
                "OTEL_LOGS_EXPORTER must be otlp, console or none, got 'zipkin'. It is "
                "ignored."
            ),
        ),
    ],
)
def test_a_variable_that_cannot_be_used_is_a_warning_and_as_if_unset(
    variable, value, warning
):
    found = read({variable: value})
    assert found.warnings == (warning,)
    assert found.settings == read().settings


def test_a_bad_signal_variable_leaves_the_generic_one():
    found = read({BASE + "LOGS_TIMEOUT": "soon", BASE + "TIMEOUT": "3"})
    assert found.settings.timeout_s == 3
    assert len(found.warnings) == 1


def test_of_several_exporters_the_first_known_is_used():
    found = read({"OTEL_LOGS_EXPORTER": "zipkin,console,otlp"})
    assert found.settings.kind == "console"
    assert found.warnings == (
        (
            "OTEL_LOGS_EXPORTER must be otlp, console or none, got 'zipkin'. It is "
            "ignored."
        ),
        (
            "OTEL_LOGS_EXPORTER must name one exporter, got console, otlp. console is "
            "used; a Collector sends to several places."
        ),
    )


@pytest.mark.parametrize(
    ("traits", "warning", "used"),
    [
        (
            {"endpoint": "http://t:4317"},
            (
                "OtelExport.endpoint has port 4317, where receivers speak grpc, but "
                "the protocol is http/protobuf. Use port 4318, or set the protocol to "
                "grpc."
            ),
            "http://t:4317/v1/logs",
        ),
        (
            {"endpoint": "http://t:4318", "protocol": "grpc"},
            (
                "OtelExport.endpoint has port 4318, where receivers speak "
                "http/protobuf, but the protocol is grpc. Use port 4317, or set the "
                "protocol to http/protobuf."
            ),
            "http://t:4318",
        ),
        (
            {"endpoint": "http://t:4318/v1/logs"},
            (
                "OtelExport.endpoint ends with /v1/logs, and /v1/logs, /v1/traces or "
                "/v1/metrics is added to it. Set it to http://t:4318."
            ),
            "http://t:4318/v1/logs/v1/logs",
        ),
        (
            {"logs_endpoint": "http://me:s3cret@127.0.0.1:4318/"},
            (
                "OtelExport.logs_endpoint has no path, and is used as it is. Most "
                "receivers take logs at http://***@127.0.0.1:4318/v1/logs."
            ),
            "http://me:s3cret@127.0.0.1:4318/",
        ),
        (
            {"endpoint": "http://t:4317/x", "protocol": "grpc"},
            (
                "OtelExport.endpoint has a path, '/x', which gRPC does not use. Remove "
                "it, or set the protocol to http/protobuf."
            ),
            "http://t:4317",
        ),
        (
            {"endpoint": "http://t", "headers": {"Authorization": "s3cret"}},
            (
                "OtelExport.endpoint is plain http://, and credentials go with each "
                "request, for everybody on the way to read. Use https://."
            ),
            "http://t/v1/logs",
        ),
    ],
)
def test_what_is_probably_wrong_is_used_with_a_warning(traits, warning, used):
    found = read(**traits)
    assert found.warnings == (warning,)
    assert found.settings.endpoint == used


@pytest.mark.parametrize(
    "traits",
    [
        {"endpoint": "https://t", "headers": {"authorization": "x"}},
        {"endpoint": "http://127.0.0.1:4318", "headers": {"authorization": "x"}},
        {"endpoint": "http://t", "headers": {"x-tenant": "physics"}},
    ],
)
def test_credentials_that_nobody_can_read_on_the_way_are_no_warning(traits):
    assert read(**traits).warnings == ()


@pytest.mark.parametrize(
    ("value", "disabled"),
    [("true", True), ("TRUE ", True), ("false", False), ("1", False), ("", False)],
)
def test_only_true_disables_the_sdk(value, disabled):
    assert sdk_disabled({"OTEL_SDK_DISABLED": value}) is disabled
