from types import SimpleNamespace

import pytest
import yaml

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.event import Origin, Person, Source, Trust
from jupyter_otel.policy.policy import IdentityPolicy, Policy
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.keyed_hash import KeyedHash
from jupyter_otel.schema import Level
from jupyter_otel.tally import Books

SCHEMA_ID = "https://example.org/thing/v1"


@pytest.fixture
def redact(tmp_path):
    """Redact data under a schema's properties and an overlay's; return what is left."""

    def run(properties, rules, data, *, level="usage", identity="hash", **more):
        overlay_file = tmp_path / "overlay.yaml"
        entry = {"level": "operational", "properties": rules} | more.get("overlay", {})
        overlay_file.write_text(yaml.safe_dump({"schemas": {SCHEMA_ID: entry}}))
        catalog = Catalog(overlay_files=[overlay_file])
        body = {"$id": SCHEMA_ID, "type": "object", "properties": properties}
        schema = catalog.register(body | more.get("body", {}))
        policy = Policy(level=Level(level), identity=IdentityPolicy(identity))
        books = Books()
        redactor = Redactor(KeyedHash(b"k" * 32), policy.identity_action, books.remark)
        plan = redactor.compile(
            schema,
            lambda path, node: policy.decide(schema, path, node),
            policy.decide_unclassified(schema.overlay),
        )
        person = Person("ann", "Ann")
        origin = Origin(schema, person, Source.APP, Trust.SERVER, validated=False)
        raw = (origin, b"", 1, 2, None, None)
        redacted = plan.redact(raw, data, plan.provenance(origin))
        values = {
            ".".join(slot.path): value
            for slot, value in zip(plan.slots, redacted.values, strict=True)
            if value is not None
        }
        return SimpleNamespace(
            values=values,
            remarks=dict(books.tally().remarks),
            user=redacted.provenance.user,
            slots=plan.slots,
        )

    return run
