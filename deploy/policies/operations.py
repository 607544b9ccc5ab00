"""Policy "operations": how the service is doing, no personal data. See the .yaml."""

from pathlib import Path

c = get_config()  # noqa: F821 - traitlets gives it

c.OtelPolicy.level = "operational"
c.OtelPolicy.identity = "none"
c.OtelPolicy.code = "none"
c.OtelPolicy.files = [str(Path(__file__).with_suffix(".yaml"))]
c.OtelConsent.mode = "mandatory"
