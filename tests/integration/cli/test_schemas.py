"""``jupyter otel schemas``: list, show, check."""

import json

import yaml

EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
TOOL = "https://example.org/tools/run/v1"
TOOL_SCHEMA = {
    "$id": TOOL,
    "type": "object",
    "properties": {
        "tool": {"type": "string"},
        "exit": {"type": "integer", "categories": ["unrestricted"]},
    },
    "required": ["tool"],
}
USAGE = "--OtelPolicy.level=usage"
INCLUDE = f"--OtelPolicy.include={TOOL}"


def test_schemas_are_listed_with_what_policy_says(cli):
    status, out, err = cli(
        "schemas", "list", "--json", "--OtelPolicy.level=operational"
    )
    by_id = {entry["id"]: entry for entry in json.loads(out)}
    assert (status, err) == (0, "")
    assert by_id[EXECUTION] == {
        "id": EXECUTION,
        "version": "1",
        "event_name": "jupyter_otel.execution",
        "package": "jupyter-otel",
        "origin": by_id[EXECUTION]["origin"],
        "level": "usage",
        "group": "executions",
        "control_plane": False,
        "refusal": "level",
    }
    assert EXECUTION in cli("schemas", "list")[1]


def test_a_schema_is_shown_with_what_each_level_does(cli):
    out = cli("schemas", "show", EXECUTION, "--json")[1]
    path = json.loads(out)["properties"]["notebook_path"]
    assert path["category"] == "location"
    assert path["actions"] == {"operational": "drop", "usage": "hash", "audit": "allow"}
    assert "notebook_path" in cli("schemas", "show", EXECUTION)[1]


def test_check_prints_an_overlay_that_works_once_filled_in(cli):
    schema = cli.write("tool.json", TOOL_SCHEMA)
    status, out, err = cli("schemas", "check", schema)
    assert (status, err) == (1, f"{schema}: schema, 1 without a category: dropped\n")
    unfinished = cli.write("overlay.yaml", out)
    assert cli("schemas", "check", schema, unfinished)[0] == 1
    filled = cli.write("overlay.yaml", out.replace("TODO", "operational"))
    done = cli("schemas", "check", schema, filled)
    assert done == (0, "", f"{filled}: overlay, ok\n{schema}: schema, ok\n")


def test_check_names_what_is_wrong_with_a_file(cli):
    bad = cli.write("bad.yaml", {"schemas": {TOOL: {"levle": "usage"}}})
    status, out, err = cli("schemas", "check", bad)
    assert (status, out) == (1, "")
    assert "bad.yaml" in err
    assert "levle" in err
    found = json.loads(cli("schemas", "check", bad, "nowhere.yaml", "--json")[1])
    assert [one["file"] for one in found] == [bad, "nowhere.yaml"]
    assert all(one["error"] for one in found)


def test_check_cuts_a_recursive_schema_where_it_begins_anew(cli):
    tree = {
        "$id": "https://example.org/tree/v1",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "below": {"type": "array", "items": {"$ref": "#"}},
        },
    }
    schema = cli.write("tree.json", tree)
    status, out, _ = cli("schemas", "check", schema)
    properties = yaml.safe_load(out)["schemas"][tree["$id"]]["properties"]
    assert (status, properties) == (1, {"name": "TODO", "below.*.**": "TODO"})
    filled = cli.write("overlay.yaml", out.replace("TODO", "operational"))
    assert cli("schemas", "check", schema, filled)[0] == 0


def test_check_says_what_to_put_for_a_todo_that_was_left(cli):
    left = {"schemas": {TOOL: {"properties": {"tool": "TODO"}}}}
    file = cli.write("left.yaml", left)
    _, _, err = cli("schemas", "check", file)
    assert err.endswith('got "TODO". Put one of them in its place.\n')


def test_check_names_a_tab(cli):
    file = cli.write("tab.yaml", "schemas:\n\tx: {}\n")
    _, _, err = cli("schemas", "check", file)
    assert "use spaces, YAML allows no tabs here" in err
    assert "unicode string" not in err
