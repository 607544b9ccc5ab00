import pytest

from jupyter_otel.policy.levels import action_for
from jupyter_otel.policy.patterns import matches_path
from jupyter_otel.policy.policy import (
    CodePolicy,
    IdentityPolicy,
    Policy,
    legacy_category,
)
from jupyter_otel.schema import (
    Action,
    Category,
    Level,
    Node,
    Overlay,
    PropertyRule,
    Schema,
)
from jupyter_otel.tally import Refusal

OPEN = Category.OPERATIONAL


def schema(schema_id="https://example.org/a/v1", *rules, **overlay):
    made = Overlay(known=True, properties=tuple(rules), **overlay)
    return Schema(schema_id, "1", None, "test", {}, Node(), made)


def rule(pattern, category=None, action=None, *, code=False, attribute=None):
    return PropertyRule(
        tuple(pattern.split(".")), category, action, attribute, "f.yaml:1", code
    )


def decided(policy, path, *rules):
    decision = policy.decide(schema("x", *rules), tuple(path.split(".")), Node())
    return decision.action


@pytest.mark.parametrize(
    ("level", "actions"),
    [
        ("operational", {"location": "drop", "free_text": "drop", "network": "drop"}),
        ("usage", {"location": "hash", "free_text": "drop", "network": "drop"}),
        ("audit", {"location": "allow", "free_text": "scrub", "network": "allow"}),
    ],
)
def test_a_level_does_to_each_category_what_the_contract_says(level, actions):
    policy = Policy(level=Level(level))

    found = {
        category: decided(policy, "p", rule("p", category)).value
        for category in Category
    }

    always = {"operational": "allow", "identity": "hash", "content": "drop"}
    assert found == always | actions


def test_none_beats_include():
    policy = Policy(level=Level.NONE, include=["*"])

    assert policy.refusal(schema(level=Level.OPERATIONAL)) is Refusal.LEVEL


def test_exclude_wins_over_include_and_level():
    policy = Policy(level=Level.AUDIT, include=["*"], exclude=["https://example.org/*"])

    assert policy.refusal(schema(level=Level.OPERATIONAL)) is Refusal.EXCLUDED


def test_a_control_plane_schema_needs_its_exact_id():
    control = schema(level=Level.OPERATIONAL, control_plane=True)

    by_glob = Policy(level=Level.AUDIT, include=["https://example.org/*"])
    by_id = Policy(level=Level.OPERATIONAL, include=["https://example.org/a/v1"])

    assert by_glob.refusal(control) is Refusal.CONTROL_PLANE
    assert by_id.refusal(control) is None


def test_a_schema_without_level_is_collected_only_when_included():
    nobodys = schema()

    assert Policy(level=Level.AUDIT).refusal(nobodys) is Refusal.LEVEL
    assert Policy(level=Level.USAGE, include=["*a/v?"]).refusal(nobodys) is None


def test_an_id_with_brackets_is_taken_in_by_itself():
    odd = schema("urn:x[1]")

    assert Policy(level=Level.USAGE, include=["urn:x[1]"]).refusal(odd) is None


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a", "a", True),
        ("a", "a.b", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.**", "a", True),
        ("a.**", "a.b.c", True),
        ("**.c", "a.b.c", True),
        ("**", "a.b", True),
        ("a.**.c", "a.c", True),
        ("a.*.c", "a.c", False),
    ],
)
def test_a_star_is_one_name_and_two_stars_any_number(pattern, path, matches):
    assert matches_path(tuple(path.split(".")), tuple(pattern.split("."))) is matches


def test_the_path_with_fewest_double_stars_then_stars_decides():
    policy = Policy(level=Level.AUDIT)
    mask, drop, allow = Action.MASK, Action.DROP, Action.ALLOW

    rules = [rule("a.**", action=mask), rule("a.*", action=drop)]
    assert decided(policy, "a.b", *rules) is drop
    assert decided(policy, "a.b", *rules, rule("a.b", action=allow)) is allow


def test_of_two_rules_as_vague_the_stricter_decides():
    rules = [rule("a.*", action=Action.ALLOW), rule("*.b", action=Action.HASH)]

    assert decided(Policy(level=Level.AUDIT), "a.b", *rules) is Action.HASH


def test_an_override_changes_what_a_level_does_to_a_category():
    override = {Category.LOCATION: {Level.AUDIT: Action.HASH}}

    assert action_for(Category.LOCATION, Level.AUDIT, override) is Action.HASH
    assert action_for(Category.LOCATION, Level.USAGE, override) is Action.HASH
    assert action_for(Category.NETWORK, Level.AUDIT, override) is Action.ALLOW


@pytest.mark.parametrize(
    ("identity", "action"), [("none", "drop"), ("hash", "hash"), ("name", "allow")]
)
def test_names_inside_payloads_follow_the_identity_setting(identity, action):
    policy = Policy(level=Level.AUDIT, identity=IdentityPolicy(identity))

    assert decided(policy, "p", rule("p", Category.IDENTITY)).value == action


@pytest.mark.parametrize(
    ("level", "code", "action"),
    [
        ("operational", None, "drop"),
        ("usage", None, "drop"),
        ("audit", None, "hash"),
        ("audit", "none", "drop"),
        ("operational", "text", "scrub"),
        ("usage", "hash", "hash"),
    ],
)
def test_code_follows_its_own_setting_at_every_level(level, code, action):
    policy = Policy(level=Level(level), code=CodePolicy(code) if code else None)

    found = decided(policy, "code", rule("code", Category.CONTENT, code=True))

    assert found.value == action


def test_hashed_code_is_named_apart_from_code():
    policy = Policy(level=Level.AUDIT)
    executed = schema("x", rule("code", Category.CONTENT, code=True))

    decision = policy.decide(executed, ("code",), Node())

    assert decision.attribute == "jupyter.event.code_hash"


def test_nothing_decides_about_a_property_that_nobody_classified():
    policy = Policy(level=Level.AUDIT)

    assert policy.decide(schema(), ("p",), Node()) is None
    assert policy.decide_unclassified(Overlay()).action is Action.DROP
    allowing = Overlay(allow_unclassified=True)
    assert policy.decide_unclassified(allowing).action is Action.ALLOW


@pytest.mark.parametrize(
    ("categories", "category"),
    [
        (["unrestricted"], Category.OPERATIONAL),
        (["user-identifiable-information"], Category.IDENTITY),
        (["user-identifier", "unrestricted"], Category.IDENTITY),
        (["category.jupyter.org/unrestricted"], Category.OPERATIONAL),
        (["category.jupyter.org/user-identifier"], Category.IDENTITY),
        (["unrestricted", "action-metadata"], None),
        (["something"], None),
        ([], None),
    ],
)
def test_legacy_categories_read_as_the_contract_says(categories, category):
    assert legacy_category(categories) is category


@pytest.mark.parametrize(
    ("hiding", "other", "left"),
    [
        ("drop", "**", "drop"),
        ("hash", "**", "hash"),
        ("scrub", "**", "scrub"),
        ("drop", "**.name", "drop"),
        ("drop", "user.**", "drop"),
        ("drop", "user.name", "allow"),
        ("drop", "user.*", "allow"),
        ("drop", "user.**.name", "allow"),
    ],
)
def test_only_a_rule_that_goes_on_by_name_softens_the_one_above(hiding, other, left):
    above = rule("user", action=Action(hiding))

    found = decided(Policy(level=Level.AUDIT), "user.name", above, rule(other, OPEN))

    assert found.value == left


def test_a_rule_for_everything_may_still_be_the_stricter_one():
    rules = (rule("env", OPEN), rule("**", Category.CONTENT))

    assert decided(Policy(level=Level.AUDIT), "env.key", *rules) is Action.DROP


def test_what_holds_from_above_does_not_take_the_attribute_along():
    above = rule("user", action=Action.HASH, attribute="enduser.id")
    policy = Policy(level=Level.AUDIT)

    made = schema("x", above, rule("**", OPEN))
    decision = policy.decide(made, ("user", "name"), Node())

    assert (decision.action, decision.attribute) == (Action.HASH, None)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        (
            rule("p", Category.LOCATION),
            "p: location (f.yaml:1), categories.location.audit: hash",
        ),
        (rule("p", Category.NETWORK), "p: network (f.yaml:1)"),
        (rule("p", Category.LOCATION, Action.MASK), "p: location (f.yaml:1)"),
    ],
)
def test_what_a_deployment_says_of_a_whole_category_is_told(stated, why):
    overrides = {Category.LOCATION: {Level.AUDIT: Action.HASH}}
    policy = Policy(level=Level.AUDIT, overrides=overrides)

    assert policy.decide(schema("x", stated), ("p",), Node()).why == why
