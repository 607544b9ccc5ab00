"""No canary gets out: not on the wire, on disk, into a log, a status, metrics, a dump.

The generator, with an oracle of its own, is in ``canary_events.py``.
"""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from traitlets.config import Config

from jupyter_otel.errors import SchemaError
from jupyter_otel.event import Attribution, Person
from jupyter_otel.hosts.server.metrics import BooksCollector
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import HttpReceiver
from tests.integration.canary_events import SCHEMA_ID, WHOLE, Case, cases

WAYS = ["wire", "lines", "spool"]
GOOD = 3
"""Events of a case that leave."""
MANY = 100


class Nosy:
    """Whatever it is asked for, it says its secret."""

    def __init__(self, secret):
        self._secret = secret

    def __repr__(self):
        return self._secret

    __str__ = __repr__

    def __iter__(self):
        raise ValueError(self._secret)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(self._secret)


class Witness:
    """Sees all that a deployment lets out of one event."""

    def __init__(self, folder, receiver):
        self.folder, self.receiver = Path(folder), receiver
        self.said = io.StringIO()
        self._handler = logging.StreamHandler(self.said)
        self._handler.setFormatter(
            logging.Formatter("%(message)s %(args)s %(exc_text)s")
        )
        self._seen = len(receiver.inbox.requests())

    def __enter__(self):
        root = logging.getLogger()
        root.addHandler(self._handler)
        self._level, self._hook = root.level, threading.excepthook
        root.setLevel(logging.DEBUG)
        threading.excepthook = self._dump
        return self

    def __exit__(self, *_):
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)
        threading.excepthook = self._hook

    def _dump(self, crash):
        lines = traceback.TracebackException(
            crash.exc_type, crash.exc_value, crash.exc_traceback, capture_locals=True
        ).format()
        self.said.writelines(lines)

    def everything(self):
        """Return every byte that got out, once the deployment is closed."""
        yield self.said.getvalue().encode("utf-8", "replace")
        for received in self.receiver.inbox.requests()[self._seen :]:
            yield received.message.SerializeToString()
            yield text_format.MessageToString(received.message, as_utf8=True).encode()
            yield repr(received.headers).encode()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != "overlay.yaml":
                yield path.read_bytes()


@pytest.fixture(scope="module")
def receiver():
    with HttpReceiver() as started:
        yield started


def configuration(case, folder, way, receiver):
    overlay = Path(folder, "overlay.yaml")
    overlay.write_text(yaml.safe_dump(case.overlay))
    config = Config()
    config.OtelPolicy.level = case.level
    config.OtelPolicy.identity = case.identity
    config.OtelPolicy.code = case.code
    config.OtelPolicy.files = [str(overlay)]
    config.OtelConsent.mode = "mandatory"
    config.OtelConsent.directory = str(Path(folder, "consent"))
    config.OtelRedaction.hash_key_file = str(Path(folder, "hash_key"))
    config.OtelSpool.directory = str(Path(folder, "spool"))
    config.OtelExport.directory = str(Path(folder, "export"))
    if way == "wire":
        config.OtelExport.endpoint = receiver.url
    elif way == "spool":  # nobody listens there: everything waits on disk
        config.OtelExport.endpoint = "http://127.0.0.1:9"
    return config


def broken(case, secret):
    """Return events that cannot be taken as they are, for their errors to be told."""
    yield case.data | {"ms": secret}
    yield case.data | {"shown": [secret]}
    yield case.data | {"shown": Nosy(secret)}
    yield {secret: Nosy(secret)}
    yield {1: secret, secret: 1}
    yield Nosy(secret)


def run(case, folder, way, receiver):
    """Let a deployment do all it does with an event; return what got out beside."""
    secret = "ZqBrokenXvBrokenKj"  # noqa: S105 - a canary
    person = Person("somebody", "ZqPersonXvPersonKj")
    case.secrets += [secret, person.user_name]
    told = []
    with Telemetry(configuration(case, folder, way, receiver)) as telemetry:
        telemetry.register_schema(case.schema)
        schema = telemetry.catalog.find(SCHEMA_ID)
        telemetry.intake.emit(schema, case.data, Attribution(person=person))
        telemetry.emit(schema_id=SCHEMA_ID, data=case.data)
        for data in broken(case, secret):
            telemetry.emit(schema_id=SCHEMA_ID, data=data)
        telemetry.emit(schema_id=SCHEMA_ID, data=case.data, timestamp=secret)
        telemetry.flush(0.1 if way == "spool" else 5.0)
        logs = telemetry.tally().logs
        assert logs.sent + logs.pending >= GOOD
        told += [telemetry.status(), telemetry.tally().to_json(), telemetry.warnings]
        told += [telemetry.collected().to_json()]
        yield metrics_page(telemetry)
        assert telemetry.choices.recent(Person("another", None), MANY) == []
        own = telemetry.choices.recent(person, MANY)
        assert own or way == "spool"
        yield from (row.body for row in own)
        told += previews(telemetry, case, secret)
        telemetry.close(0.1)
        yield json.dumps(told).encode()


def metrics_page(telemetry):
    """Return what the server's ``/metrics`` shows."""
    registry = CollectorRegistry()
    registry.register(BooksCollector(telemetry))
    page = generate_latest(registry)
    assert b"jupyter_otel_records_accepted_total" in page
    return page


def previews(telemetry, case, secret):
    for data in (case.data, case.data | {"ms": secret}):
        yield telemetry.preview(SCHEMA_ID, data, explain=True)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cases(), st.sampled_from(WAYS))
def test_nothing_hidden_gets_out_anywhere(receiver, case, way):
    """Nothing hidden is sent, stored, logged, shown, dumped or given back to people.

    Mutation run, 2026-11-24, each caught within these examples: the redactor skips one
    property; hashes are reversible; a map's keys leave as they are; an array's objects
    keep what nobody declared; the user's name leaves unhashed; scrubbing does nothing;
    look-alikes are not folded; a preview quotes the data it explains.
    """
    with TemporaryDirectory() as folder, Witness(folder, receiver) as witness:
        beside = list(run(case, folder, way, receiver))
        out = [*beside, *witness.everything()]

    found = {
        needle
        for needle in case.needles()
        for blob in out
        if needle.encode() in blob or needle.lower().encode() in blob
    }
    assert found == set()
    assert any(b"canaries" in blob for blob in out[1:])  # something did leave


def test_an_error_that_is_raised_on_purpose_quotes_no_value(tmp_path, receiver):
    case = Case("audit", "hash", "hash", {"ms": WHOLE}, {"ms": "operational"})
    config = configuration(case, tmp_path, "lines", receiver)
    backwards = "nekorBqZ"  # a traceback quotes this file's lines

    with Telemetry(config, strict=True) as telemetry:
        telemetry.register_schema(case.schema)
        with pytest.raises(SchemaError) as caught:
            telemetry.emit(schema_id=SCHEMA_ID, data={"ms": backwards[::-1]})

    lines = traceback.format_exception(caught.value)
    assert "/ms: type" in "".join(lines)
    assert backwards[::-1] not in "".join(lines)


CRASHING = """
import os, sys, threading, time
from traitlets.config.loader import JSONFileConfigLoader
from jupyter_otel.telemetry import Telemetry

telemetry = Telemetry(JSONFileConfigLoader(sys.argv[1]).load_config())
telemetry.register_schema({"$id": sys.argv[2], "properties": {"p": {"type": "string"}}})
for number in range(2000):
    telemetry.emit(schema_id=sys.argv[2], data={"p": "ZqCrash" * 50, "ZqKey": 1})
    if number == 1500:
        threading.Timer(0, os.abort).start()
time.sleep(5)
"""


@pytest.mark.parametrize("rule", ["hash", "drop", "mask"])
def test_a_process_that_dies_at_work_leaves_no_data_in_its_dump(tmp_path, rule):
    overlay = tmp_path / "overlay.yaml"
    said = {"level": "usage", "properties": {"p": {"action": rule}}}
    overlay.write_text(yaml.safe_dump({"schemas": {SCHEMA_ID: said}}))
    settings_file = tmp_path / "settings.json"
    chosen = {
        "OtelPolicy": {"level": "usage", "files": [str(overlay)]},
        "OtelRedaction": {"hash_key_file": str(tmp_path / "key")},
        "OtelSpool": {"directory": str(tmp_path / "spool")},
        "OtelExport": {"endpoint": "http://127.0.0.1:9"},
    }
    settings_file.write_text(json.dumps(chosen))
    program = [sys.executable, "-X", "faulthandler", "-c", CRASHING]

    died = subprocess.run(
        [*program, settings_file, SCHEMA_ID],
        capture_output=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert died.returncode < 0
    assert b"Fatal Python error: Aborted" in died.stderr
    spooled = [path for path in (tmp_path / "spool").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in spooled) > 0
    for blob in (died.stdout, died.stderr, *(path.read_bytes() for path in spooled)):
        assert b"ZqCrash" not in blob
        assert b"ZqKey" not in blob
