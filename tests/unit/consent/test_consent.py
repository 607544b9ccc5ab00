import pytest

from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.event import Person
from jupyter_otel.schema import Group

ANN = Person(subject="ann", user_name="ann")
DATA = Group.DATA


@pytest.mark.parametrize(
    ("mode", "answer", "allows"),
    [
        ("opt_in", None, False),
        ("opt_in", True, True),
        ("opt_in", False, False),
        ("opt_out", None, True),
        ("opt_out", False, False),
        ("mandatory", None, True),
        ("mandatory", False, True),
        ("off", True, False),
    ],
)
def test_a_mode_and_an_answer_make_the_verdict(mode, answer, allows):
    answers = {} if answer is None else {("ann", DATA): answer}
    consent = Consent(mode=ConsentMode(mode), answers=answers)

    assert consent.allows(ANN, DATA) is allows


def test_an_answer_holds_for_one_person_and_one_group():
    answers = {("ann", DATA): True}
    consent = Consent(mode=ConsentMode.OPT_IN, answers=answers)

    assert not consent.allows(Person("bob", "bob"), DATA)
    assert not consent.allows(ANN, Group.EXECUTIONS)


def test_what_nobody_asked_for_needs_no_consent():
    assert Consent(mode=ConsentMode.OPT_IN).allows(None, Group.OPERATIONS)


def test_security_is_mandatory_unless_off():
    off = {Group.SECURITY: ConsentMode.OFF}

    assert Consent(mode=ConsentMode.OPT_IN).allows(ANN, Group.SECURITY)
    without = Consent(mode=ConsentMode.MANDATORY, groups=off)
    assert not without.allows(ANN, Group.SECURITY)
    assert not without.allows(None, Group.SECURITY)


def test_a_group_may_have_a_mode_of_its_own():
    groups = {DATA: ConsentMode.OPT_OUT}
    consent = Consent(mode=ConsentMode.OPT_IN, groups=groups)

    assert consent.allows(ANN, DATA)
    assert not consent.allows(ANN, Group.EXECUTIONS)


def test_an_assumed_answer_stands_in_for_the_stored_one():
    consent = Consent(mode=ConsentMode.OPT_IN)

    assert consent.allows(ANN, DATA, answer=True)
    assert not consent.allows(ANN, DATA, answer=False)
