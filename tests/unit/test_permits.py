import pytest
from traitlets.config import Config

from jupyter_otel.config import read_settings
from jupyter_otel.consent.answers import Answer, Answers
from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.permits import (
    Permits,
    open_bystanders_permits,
    open_consent,
    open_permits,
    permits_at_least,
    policy_revision,
)
from jupyter_otel.schema import Group
from jupyter_otel.spool.judging import RowOrigin
from jupyter_otel.tally import DropReason

NO_CONSENT, POLICY_CHANGED = DropReason.NO_CONSENT, DropReason.POLICY_CHANGED
NOW = "usage-hash-none-0123456789"


@pytest.mark.parametrize(
    ("then", "permitted"),
    [
        (NOW, True),
        ("operational-hash-none-0123456789", True),
        ("usage-none-none-0123456789", True),
        ("audit-hash-none-0123456789", False),
        ("usage-name-none-0123456789", False),
        ("usage-hash-hash-0123456789", False),
        ("usage-hash-none-9876543210", False),
        ("of another release", False),
    ],
)
def test_a_row_of_a_policy_that_let_more_through_is_given_up(then, permitted):
    permits = Permits(Consent(mode=ConsentMode.MANDATORY), NOW)

    assert permits_at_least(NOW, then) is permitted
    assert permits.objection(RowOrigin("ann", "data", then, 1)) == (
        None if permitted else POLICY_CHANGED
    )


def settings(tmp_path, **policy):
    config = Config(
        OtelPolicy=policy, OtelConsent={"directory": str(tmp_path / "consent")}
    )
    return read_settings(config)


@pytest.mark.parametrize(
    ("before", "after", "permitted"),
    [
        ({"level": "usage"}, {"level": "audit"}, True),
        ({"level": "audit"}, {"level": "usage"}, False),
        ({"level": "usage", "code": "text"}, {"level": "usage"}, False),
        ({"level": "usage"}, {"level": "usage", "code": "text"}, True),
        ({"level": "usage", "identity": "name"}, {"level": "usage"}, False),
        ({"level": "usage"}, {"level": "usage", "exclude": ["x"]}, False),
    ],
)
def test_a_revision_tells_what_was_tightened(tmp_path, before, after, permitted):
    then = policy_revision(settings(tmp_path, **before))
    now = policy_revision(settings(tmp_path, **after))

    assert permits_at_least(now, then) is permitted


def test_what_an_overlay_says_belongs_to_the_revision(tmp_path):
    file = tmp_path / "overlay.yaml"
    revisions = []
    for text in ("schemas: {}", "categories: {}"):
        file.write_text(text)
        revisions.append(policy_revision(settings(tmp_path, files=[str(file)])))

    assert revisions[0] != revisions[1]


def test_a_row_is_judged_by_what_its_person_says_now():
    answers = Answers()
    permits = Permits(Consent(mode=ConsentMode.OPT_OUT, answers=answers), NOW)
    hers = RowOrigin("ann", "data", NOW, 1)

    assert permits.objection(hers) is None
    answers.put("ann", {Group.DATA: Answer(allowed=False, at_ns=2)})
    assert permits.objection(hers) is NO_CONSENT
    assert permits.objection(hers._replace(group="executions")) is None
    assert permits.objection(hers._replace(subject="bob")) is None


def test_data_of_the_sdk_is_no_event_and_needs_no_consent(tmp_path):
    permits = open_permits(settings(tmp_path, level="usage"))

    assert permits.objection(RowOrigin("", "", "", 1)) is None


def test_at_level_none_nothing_is_thrown_away_but_what_people_forbid(tmp_path):
    permits = open_permits(settings(tmp_path, level="none"))

    assert permits.objection(RowOrigin("ann", "data", NOW, 1)) is None


def test_a_bystander_heeds_who_said_no_and_no_policy(tmp_path):
    chosen = settings(tmp_path)
    consent = open_consent(chosen)
    no = consent.answer("ann", Group.DATA, allowed=False, now_ns=2)
    consent.answers.put("ann", {Group.DATA: no})
    permits = open_bystanders_permits(chosen)

    assert permits.objection(RowOrigin("ann", "data", NOW, 1)) is NO_CONSENT
    assert permits.objection(RowOrigin("bob", "data", NOW, 1)) is None
