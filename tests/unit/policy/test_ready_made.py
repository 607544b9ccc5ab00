"""Each ready-made policy is held to its promise against every schema of the catalog.

Every property of every schema gets a canary, and the records that come out of the very
stages that a server runs are searched for them: what a policy says of itself is not
asked.
"""

import re
from pathlib import Path

import pytest

from jupyter_otel.assembly import build_catalog, build_stages
from jupyter_otel.config import read_settings
from jupyter_otel.config_files import load_configuration
from jupyter_otel.disclosure.labels import labels
from jupyter_otel.event import Origin, Person, Source, SpanContext, Trust
from jupyter_otel.mapping.mapper import Mapped
from jupyter_otel.processor import Processor
from jupyter_otel.schema import Action, Category, Group
from jupyter_otel.snapshot import take_snapshot
from tests.unit.canaries import Canaries

POLICIES = Path(__file__).parents[3] / "deploy" / "policies"
NAMES = sorted(path.stem for path in POLICIES.glob("*.yaml"))
ANN = Person("ann", "canary-ann-lee")
HASH = re.compile(rb"[0-9a-f]{8}:[0-9a-f]{64}")
AUDITED = {Category.OPERATIONAL, Category.LOCATION, Category.NETWORK}
JOIN_PEOPLE = {"kernel_id", "cell_id", "session_id", "room", "roomid", "terminal"}
"""Ids that other logs of the same server have beside a person's name."""


class Deployment:
    """A policy in force, on a machine of its own."""

    def __init__(self, name, folder):
        config = load_configuration(str(POLICIES / f"{name}.py"))
        config.OtelRedaction.hash_key_file = str(folder / "hash_key")
        self.settings = read_settings(config)
        self.catalog = build_catalog(self.settings)
        self.stages = build_stages(
            self.settings,
            self.catalog,
            start_span=lambda: SpanContext(bytes(16), bytes(8)),
            count=lambda _remark, _times: None,
            warnings=[],
        )
        self.processor = Processor(self.stages, folds=False, samples=False)
        policy = self.stages.policy
        self.collected = [
            schema
            for schema in self.catalog.schemas()
            if policy.refusal(schema) is None
        ]

    def categories(self, schema):
        """Return the category of each property."""
        decided = labels(schema, self.stages.policy)
        return {path: decision.category for path, decision in decided.items()}

    def record(self, schema, data, *, answer=True):
        """Return the bytes of all that leaves of an event, or None."""
        origin = Origin(schema, ANN, Source.SERVER, Trust.SERVER, validated=True)
        raw = (origin, take_snapshot(data), 1, 1, None, None)
        outcome = self.processor.lane(origin, answer=answer).process(raw)
        if not isinstance(outcome, Mapped):
            return None
        return outcome.log_record + (outcome.span or b"")


@pytest.fixture
def deployment(tmp_path):
    return lambda name: Deployment(name, tmp_path)


def canaries(schema):
    """Return data with a canary in every property, and the path of each canary."""
    made = Canaries(schema)
    return made.data, made.paths


def left(deployed, schema):
    """Return the categories and paths of what leaves in clear of an event."""
    data, paths = canaries(schema)
    record = deployed.record(schema, data)
    categories = deployed.categories(schema)
    assert record is not None
    assert b"canary-of-nobody" not in record
    return {
        (category, path)
        for path, canary in paths.items()
        if isinstance(canary, str) and canary.encode() in record
        for category in [next((c for p, c in categories.items() if p == path), None)]
    }


def categories_left(deployed):
    return {
        category
        for schema in deployed.collected
        for category, _ in left(deployed, schema)
    }


def test_every_policy_is_here_with_its_settings():
    assert NAMES == [
        "classroom-ferpa",
        "fedramp-audit",
        "gdpr-opt-in",
        "hipaa",
        "operations",
        "usage",
    ]
    assert sorted(path.stem for path in POLICIES.glob("*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_collects_something_and_names_no_property_that_is_not_there(
    deployment, name
):
    deployed = deployment(name)

    assert deployed.collected
    assert deployed.catalog.warnings == []
    for schema in deployed.catalog.schemas():
        known = set(labels(schema, deployed.stages.policy))
        for rule in schema.overlay.properties:
            if rule.origin.startswith(f"{name}.yaml:"):
                assert rule.pattern in known, rule


def test_under_operations_nothing_personal_leaves_not_even_hashed(deployment):
    deployed = deployment("operations")

    for schema in deployed.collected:
        data, paths = canaries(schema)
        record = deployed.record(schema, data)
        clear = left(deployed, schema)
        assert {category for category, _ in clear} <= {Category.OPERATIONAL}
        assert b"user." not in record
        assert not HASH.search(record)
        joins = {path for path in paths if path[-1] in JOIN_PEOPLE}
        assert {path for _, path in clear} & joins == set()


@pytest.mark.parametrize("name", ["usage", "classroom-ferpa", "gdpr-opt-in"])
def test_pseudonymous_policies_let_names_and_paths_leave_as_hashes_only(
    deployment, name
):
    deployed = deployment(name)

    assert categories_left(deployed) == {Category.OPERATIONAL}
    for schema in deployed.collected:
        data, _ = canaries(schema)
        record = deployed.record(schema, data)
        assert ANN.user_name.encode() not in record
        assert b"user.hash" in record
        assert actions(deployed, schema, Category.IDENTITY) <= {Action.HASH}
        assert actions(deployed, schema, Category.LOCATION) <= {Action.HASH}
        for category in (Category.CONTENT, Category.FREE_TEXT, Category.NETWORK):
            assert actions(deployed, schema, category) <= {Action.DROP}


def test_under_gdpr_opt_in_nothing_of_a_person_leaves_without_a_yes(deployment):
    deployed = deployment("gdpr-opt-in")

    silent = {
        schema.overlay.group
        for schema in deployed.collected
        if deployed.record(schema, canaries(schema)[0], answer=None) is None
    }
    asked = {schema.overlay.group for schema in deployed.collected}
    assert silent == asked - {Group.SECURITY}


@pytest.mark.parametrize("name", ["classroom-ferpa", "gdpr-opt-in"])
def test_where_people_are_asked_ids_that_join_them_are_hashed_or_gone(deployment, name):
    deployed = deployment(name)

    rooms = {"room", "roomid", "fork_roomid", "root_roomid", "cell_id"}
    for schema in deployed.collected:
        clear = {path[-1] for _, path in left(deployed, schema)}
        assert clear & rooms == set(), schema.id


def test_under_hipaa_the_person_is_named_and_no_health_information_leaves(deployment):
    deployed = deployment("hipaa")

    assert categories_left(deployed) <= {
        Category.OPERATIONAL,
        Category.IDENTITY,
        Category.NETWORK,
    }
    for schema in deployed.collected:
        record = deployed.record(schema, canaries(schema)[0])
        assert ANN.user_name.encode() in record
        assert not actions(deployed, schema, Category.LOCATION) - {Action.HASH}
        texts = actions(deployed, schema, Category.FREE_TEXT)
        assert texts <= {Action.DROP, Action.HASH}


def test_under_fedramp_audit_what_an_auditor_asks_for_leaves_in_clear(deployment):
    deployed = deployment("fedramp-audit")

    for schema in deployed.collected:
        data, paths = canaries(schema)
        record = deployed.record(schema, data)
        assert ANN.user_name.encode() in record
        clear = {path for _, path in left(deployed, schema)}
        decided = labels(schema, deployed.stages.policy)
        for path, decision in decided.items():
            if decision.category in AUDITED and isinstance(paths.get(path), str):
                assert path in clear, (schema.id, path)
        assert actions(deployed, schema, Category.FREE_TEXT) <= {
            Action.SCRUB,
            Action.DROP,
        }
        content = {
            path: decision.action
            for path, decision in decided.items()
            if decision.category is Category.CONTENT
            and decision.action is not Action.DROP
        }
        assert set(content.values()) <= {Action.SCRUB}
        assert {path[-1] for path in content} <= {"code"}


def actions(deployed, schema, category):
    decided = labels(schema, deployed.stages.policy).values()
    return {one.action for one in decided if one.category is category}
