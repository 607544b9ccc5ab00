"""Policy "classroom-ferpa": a class at work, pseudonymous. See the .yaml beside it."""

from pathlib import Path

c = get_config()  # noqa: F821 - traitlets gives it

c.OtelPolicy.level = "usage"
c.OtelPolicy.identity = "hash"
c.OtelPolicy.code = "none"
c.OtelPolicy.files = [str(Path(__file__).with_suffix(".yaml"))]
c.OtelConsent.mode = "mandatory"
c.OtelConsent.groups = {"interface": "opt_in", "extensions": "opt_in"}
