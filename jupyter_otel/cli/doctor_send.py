"""One test record, from `emit` to the receiver's acknowledgement."""

import tempfile
from copy import deepcopy

from traitlets.config import Config

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.cli.reasons import cure
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.telemetry import Telemetry

SCHEMA_ID = "https://events.jupyter.org/jupyter_otel/doctor/v1"
_SCHEMA = {
    "$id": SCHEMA_ID,
    "version": "1",
    "title": "A test record",
    "description": "Sent by `jupyter otel doctor --send`.",
    "type": "object",
    "properties": {"sent_by": {"type": "string", "categories": ["unrestricted"]}},
}
_TIMEOUT_S = 15.0


def check_sending(config: Config) -> Finding:
    """Send it by the settings, from a spool of its own, and wait for the answer."""
    with tempfile.TemporaryDirectory() as spool:
        try:
            return _send(_with_schema(config, spool))
        except JupyterOtelError as error:
            return Finding("send", State.FAILED, str(error))


def _with_schema(config: Config, spool: str) -> Config:
    """Return settings under which the test record is collected."""
    config = deepcopy(config)
    config.OtelPolicy.level = "operational"
    config.OtelPolicy.include = [SCHEMA_ID]
    config.OtelSpool.directory = spool
    return config


def _send(config: Config) -> Finding:
    with Telemetry(config, source="app") as telemetry:
        telemetry.register_schema(_SCHEMA)
        telemetry.emit(schema_id=SCHEMA_ID, data={"sent_by": "jupyter otel doctor"})
        telemetry.flush(_TIMEOUT_S)
        logs, status = telemetry.tally().logs, telemetry.status()
    if logs.sent:
        where = status["destinations"].get("logs", "")
        what = f"{where} has acknowledged the test record jupyter_otel.doctor"
        return Finding("send", State.OK, what)
    reason = next(iter({**logs.refused, **logs.dropped}), None)
    last_error = status["last_error"].get("logs") or "no answer yet"
    what = f"the test record did not arrive: {reason or 'pending'} ({last_error})"
    return Finding("send", State.FAILED, what, cure(reason) if reason else _WAITING)


_WAITING = "The receiver does not answer: see what was found about logs above."
