import threading

import pytest

from jupyter_otel.catalog.catalog import Catalog

BODY = {
    "$id": "https://example.org/a/v1",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "status": {"enum": ["ok", "error"]},
        "people": {"additionalProperties": {"type": "integer"}},
        "list": {"items": {"properties": {"n": {"type": "integer"}}}},
        "text": {"type": "string"},
    },
}


def validator(body):
    catalog = Catalog()
    return catalog.validator(catalog.adopt(body, "test"))


@pytest.mark.parametrize(
    ("name", "explanation"),
    [
        ("KeyError", "valid"),
        ("std::range_error", "valid"),
        ("Ошибка", "valid"),
        ("_OTHER", "valid"),
        ("no key 'sk-1'", "/error_name: pattern"),
        ("/home/ann/plan.csv", "/error_name: pattern"),
    ],
)
def test_an_executions_error_has_a_name_and_no_text(name, explanation):
    catalog = Catalog()
    schema = catalog.find("https://events.jupyter.org/jupyter_otel/execution/v1")
    data = {"phase": "finished", "error_name": name}

    assert catalog.validator(schema).explain(data) == explanation


@pytest.fixture(params=["fast", "slow"])
def judge(request):
    """Return a validator of BODY, of either library."""
    only_python = {"text": {"type": "string", "pattern": r"^(?P<all>(?s:.*))\Z"}}
    properties = BODY["properties"] | (only_python if request.param == "slow" else {})
    found = validator({**BODY, "properties": properties})
    assert (found.slow_reason is not None) == (request.param == "slow")
    return found


@pytest.mark.parametrize(
    ("data", "explanation"),
    [
        ({"status": "ok"}, "valid"),
        ({"status": "secret"}, "/status: enum"),
        ({"people": {"alice": "secret"}}, "/people/*: type"),
        ({"list": [{"n": 1}, {"n": "secret"}]}, "/list/1/n: type"),
        ({"secret": 1}, "/: additionalProperties"),
        ("secret", "/: type"),
    ],
)
def test_an_explanation_has_place_and_keyword_and_no_data(judge, data, explanation):
    assert judge.explain(data) == explanation
    assert judge.is_valid(data) == (explanation == "valid")


def endless():
    value = []
    value.append(value)
    return value


def deep():
    value = []
    for _ in range(5000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        ({"text": "\ud800"}, True),
        ({"\ud800": 1}, False),
        ({1: "x"}, False),
        ({"text": b"bytes"}, False),
        ({"people": {"a": 10**400}}, True),
        ({"text": object()}, False),
        (None, False),
    ],
)
def test_data_that_is_hardly_json_is_judged_without_an_exception(judge, data, fits):
    assert judge.is_valid(data) is fits
    assert (judge.explain(data) == "valid") is fits


@pytest.mark.parametrize("make", [endless, deep])
def test_endless_and_deep_data_raise_nothing(judge, make):
    assert judge.is_valid({"list": make()}) in (True, False)
    assert judge.explain({"list": make()})


def test_a_misplaced_required_list_is_judged_slowly_and_reported():
    """notebook_metrics 1.0.0a1 has it: `required` stands among the properties."""
    catalog = Catalog()
    body = {
        "$id": "https://example.org/misplaced/v1",
        "version": "1",
        "properties": {
            "level": {
                "properties": {"kind": {"type": "string"}, "required": ["kind"]},
            }
        },
    }

    schema = catalog.register(body)
    found = catalog.validator(schema)

    verdicts = [
        found.is_valid({"level": level}) for level in ({"kind": "a"}, {}, {"kind": 1})
    ]
    assert verdicts == [True, True, False]
    assert found.is_valid({"level": {"required": 1}}) is False
    assert found.explain({"level": {"required": 1}}) == (
        "/: the schema itself cannot be applied"
    )
    refusal = "is not of type 'object', 'boolean'"
    assert catalog.warnings == [
        (
            "application: not a valid JSON Schema: at /properties/level/properties/"
            f"required: ['kind'] {refusal}"
        ),
        (
            "https://example.org/misplaced/v1: jsonschema-rs refuses the schema: "
            '["kind"] is not of types "boolean", "object"'
        ),
    ]


def test_a_pattern_of_pythons_own_is_judged_slowly_and_reported():
    catalog = Catalog()
    body = {"$id": "a", "properties": {"p": {"pattern": r"^(?P<n>x)\Z"}}}

    found = catalog.validator(catalog.register(body))

    assert [found.is_valid({"p": text}) for text in ("x", "y")] == [True, False]
    assert [warning.partition(":")[0] for warning in catalog.warnings] == ["a"]


@pytest.mark.parametrize(
    "identifier",
    ["my schema", "jupyter+x", "//host/a", "::bad", "http://[bad", "a/b#c", "#x"],
)
def test_an_id_that_is_no_url_keeps_the_fast_validator(identifier):
    body = {
        "$id": identifier,
        "properties": {"a": {"$ref": "#/definitions/t"}},
        "definitions": {"t": {"type": "string"}},
    }

    found = validator(body)

    assert found.slow_reason is None
    assert [found.is_valid({"a": value}) for value in ("x", 1)] == [True, False]


@pytest.mark.parametrize(
    ("dialect", "verdict"),
    [
        (None, True),
        ("http://json-schema.org/draft-07/schema", True),
        ("http://json-schema.org/draft-07/schema#", True),
        ("https://example.org/my-own-dialect", True),
        ("https://json-schema.org/draft/2020-12/schema", False),
    ],
)
def test_schema_decides_the_draft_and_draft_7_is_the_default(dialect, verdict):
    stated = {} if dialect is None else {"$schema": dialect}
    body = {"$id": "a", **stated, "properties": {"p": {"prefixItems": [False]}}}

    assert validator(body).is_valid({"p": [1]}) is verdict


@pytest.mark.timeout(30)  # a fetch would wait for an answer without end
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_nothing_is_fetched_even_for_a_schema_that_asks_for_it(keyword, listener):
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
    body = {
        "$id": "a",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"p": {keyword: address}},
    }

    found = validator(body)

    assert found.is_valid({"p": 1}) is False
    assert found.is_valid({}) is True
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_validator_is_compiled_once_even_by_many_threads():
    catalog = Catalog()
    schema = catalog.register(BODY)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(catalog.validator(schema)))
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [catalog.validator(schema)] * 8
