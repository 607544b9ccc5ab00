import pytest

from jupyter_otel.consent.answers import Answer, Answers
from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.event import Person
from jupyter_otel.schema import Group

ANN = Person(subject="ann", user_name="ann")
DATA = Group.DATA


@pytest.fixture
def said():
    """Answers in memory: who said what of data."""

    def said(*, group=DATA, **answers):
        kept = Answers()
        for subject, allowed in answers.items():
            kept.put(subject, {group: Answer(allowed, 5, 5)})
        return kept

    return said


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
def test_a_mode_and_an_answer_make_the_verdict(mode, answer, allows, said):
    answers = said() if answer is None else said(ann=answer)
    consent = Consent(mode=ConsentMode(mode), answers=answers)

    assert consent.allows(ANN, DATA) is allows
    assert consent.still_allows("ann", DATA, made_ns=9) is allows


def test_an_answer_holds_for_one_person_and_one_group(said):
    consent = Consent(mode=ConsentMode.OPT_IN, answers=said(ann=True))

    assert not consent.allows(Person("bob", "bob"), DATA)
    assert not consent.allows(ANN, Group.EXECUTIONS)


def test_what_nobody_asked_for_needs_no_consent():
    consent = Consent(mode=ConsentMode.OPT_IN)

    assert consent.allows(None, Group.OPERATIONS)
    assert consent.still_allows("", Group.OPERATIONS, made_ns=0)


def test_security_is_mandatory_unless_off():
    off = {Group.SECURITY: ConsentMode.OFF}

    assert Consent(mode=ConsentMode.OPT_IN).allows(ANN, Group.SECURITY)
    without = Consent(mode=ConsentMode.MANDATORY, groups=off)
    assert not without.allows(ANN, Group.SECURITY)
    assert not without.allows(None, Group.SECURITY)
    assert not without.still_allows("", Group.SECURITY, made_ns=9)


def test_a_group_may_have_a_mode_of_its_own():
    groups = {DATA: ConsentMode.OPT_OUT}
    consent = Consent(mode=ConsentMode.OPT_IN, groups=groups)

    assert consent.allows(ANN, DATA)
    assert not consent.allows(ANN, Group.EXECUTIONS)


def test_an_assumed_answer_stands_in_for_the_stored_one():
    consent = Consent(mode=ConsentMode.OPT_IN)

    assert consent.allowed_since(consent.key(ANN), DATA, answer=True) == 0
    assert consent.allowed_since(consent.key(ANN), DATA, answer=False) is None
    assert consent.allowed_since(consent.key(ANN), Group.SECURITY, answer=False) == 0


def test_answers_are_looked_up_under_the_key_of_the_person(said):
    consent = Consent(
        mode=ConsentMode.OPT_IN, answers=said(ANN=True), key=lambda name: name.upper()
    )

    assert consent.allows(ANN, DATA)
    assert (consent.key(ANN), consent.key(None)) == ("ANN", "")


@pytest.mark.parametrize(
    ("mode", "before", "since_ns"),
    [
        ("opt_in", None, 7),
        ("opt_in", False, 7),
        ("opt_in", True, 5),
        ("opt_out", None, 0),
        ("opt_out", False, 7),
        ("opt_out", True, 5),
    ],
)
def test_a_yes_is_not_meant_for_what_was_made_before_it(mode, before, since_ns, said):
    answers = said() if before is None else said(ann=before)
    consent = Consent(mode=ConsentMode(mode), answers=answers)

    yes = consent.answer("ann", DATA, allowed=True, now_ns=7)
    answers.put("ann", {DATA: yes})

    assert yes == Answer(allowed=True, at_ns=7, since_ns=since_ns)
    assert consent.allowed_since(consent.key(ANN), DATA) == since_ns
    assert consent.still_allows("ann", DATA, made_ns=since_ns)
    assert not consent.still_allows("ann", DATA, made_ns=since_ns - 1)


@pytest.mark.parametrize(
    ("mode", "answers", "since_ns"),
    [
        ("opt_in", {"ann": True}, None),
        ("opt_in", {"ann": True, "bob": False}, None),
        ("opt_in", {"ann": True, "bob": True}, 5),
        ("opt_out", {}, 0),
        ("opt_out", {"bob": False}, None),
        ("mandatory", {"bob": False}, 0),
        ("off", {}, None),
    ],
)
def test_what_is_of_several_people_needs_each_ones_yes(mode, answers, since_ns, said):
    consent = Consent(mode=ConsentMode(mode), answers=said(**answers))
    key = consent.key_of_all([Person("bob", "bob"), ANN])

    assert consent.allowed_since(key, DATA) == since_ns
    assert key == consent.key_of_all([ANN, Person("bob", "bob")])
    assert consent.key_of_all([ANN]) == consent.key(ANN)
