"""What is told is what is done: every property of every schema, at every level.

The records of the very stages that a server runs are held against what people read.
"""

import pytest

from jupyter_otel.assembly import build_stages
from jupyter_otel.event import Origin, Source, SpanContext, Trust
from jupyter_otel.mapping.mapper import Mapped
from jupyter_otel.processor import Processor
from jupyter_otel.redaction.keyed_hash import KeyFile
from jupyter_otel.schema import Action
from jupyter_otel.snapshot import take_snapshot
from tests.unit.canaries import Canaries


def leaving(telemetry, schema, data):
    """Return the bytes of what leaves of an event."""
    stages = build_stages(
        telemetry.settings,
        telemetry.catalog,
        start_span=lambda: SpanContext(bytes(16), bytes(8)),
        count=lambda _remark, _times: None,
        warnings=[],
    )
    origin = Origin(schema, None, Source.SERVER, Trust.SERVER, validated=True)
    lane = Processor(stages, folds=False, samples=False).lane(origin, answer=True)
    outcome = lane.process((origin, take_snapshot(data), 1, 1, None, None))
    assert isinstance(outcome, Mapped)
    return outcome.log_record + (outcome.span or b"")


@pytest.mark.parametrize("identity", ["none", "hash", "name"])
@pytest.mark.parametrize("code", ["none", "hash", "text"])
@pytest.mark.parametrize("level", ["operational", "usage", "audit"])
def test_what_is_told_of_a_property_is_what_is_done_to_it(
    telemetry, tmp_path, level, code, identity
):
    running = telemetry(level=level, code=code, identity=identity)
    keyed_hash = KeyFile(tmp_path / "hash_key").load()
    checked = 0

    for told in running.collected().schemas:
        schema = running.catalog.find(told.id)
        made = Canaries(schema)
        record = leaving(running, schema, made.data)
        actions = {one.name: one.action for one in told.properties}
        for path, canary in made.paths.items():
            if isinstance(canary, str):
                action = actions[".".join(path)]
                is_clear = canary.encode() in record
                is_hashed = keyed_hash(canary).encode() in record
                seen = (is_clear, is_hashed)
                assert seen == EXPECTED[action], (told.id, path, action)
                checked += 1

    assert checked > 5


EXPECTED = {
    Action.ALLOW: (True, False),
    Action.TRUNCATE: (True, False),
    Action.SCRUB: (True, False),  # a canary has no shape of a secret
    Action.HASH: (False, True),
    Action.MASK: (False, False),
    Action.DROP: (False, False),
}
"""Whether a canary is found in clear, and by its hash."""
