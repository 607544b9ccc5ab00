"""One test record, from `emit` to the receiver's acknowledgement."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from traitlets.config import Config

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.cli.reasons import cure
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.tally import DropReason
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


def check_sending(config: Config, failed: Sequence[str]) -> Finding:
    """Send it by the settings, from a spool of its own, and wait for the answer.

    Args:
        config: As the server has it.
        failed: The checks that failed before: then there is nothing to prove.
    """
    if failed:
        what = f"not tried: see {', '.join(dict.fromkeys(failed))} above"
        return Finding("send", State.FAILED, what)
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
    # What the sender logs is said in the finding.
    logging.getLogger("jupyter_otel").addHandler(logging.NullHandler())
    with Telemetry(config, source="app") as telemetry:
        telemetry.register_schema(_SCHEMA)
        telemetry.emit(schema_id=SCHEMA_ID, data={"sent_by": "jupyter otel doctor"})
        telemetry.flush(_TIMEOUT_S)
        logs, status = telemetry.tally().logs, telemetry.status()
    if logs.sent:
        where = status["destinations"].get("logs", "")
        what = f"{where} has acknowledged the test record jupyter_otel.doctor"
        return Finding("send", State.OK, f"{what}, sent from a spool of its own")
    reason = next(iter({**logs.refused, **logs.dropped}), "")
    return Finding(
        "send",
        State.FAILED,
        f"the test record did not arrive: {_why(reason, status)}",
        _CURES.get(reason) or cure(reason),
    )


def _why(reason: str, status: Mapping[str, Any]) -> str:
    """Return what the sender said, without what it says of records that wait."""
    said = (status["last_error"].get("logs") or "").partition(";")[0]
    return said or reason or f"no answer in {_TIMEOUT_S:.0f} s"


_CURES = {
    "": "See to the receiver: its log, its load, and what lies between.",
    DropReason.REJECTED: "See what the receiver's own log says.",
}
