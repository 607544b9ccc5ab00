"""Policy "fedramp-audit": records that an auditor asks for. See the .yaml beside it."""

from pathlib import Path

c = get_config()  # noqa: F821 - traitlets gives it

c.OtelPolicy.level = "audit"
c.OtelPolicy.identity = "name"
c.OtelPolicy.code = "text"
c.OtelPolicy.files = [str(Path(__file__).with_suffix(".yaml"))]
c.OtelPolicy.exclude = [
    "https://events.jupyter.org/jupyter_otel/page_activity/*",
    "https://events.jupyter.org/jupyter_otel/ui_click/*",
]
c.OtelConsent.mode = "mandatory"
c.OtelExport.hold_on_auth_error = True
c.OtelSpool.max_age_s = 30 * 86_400.0
c.OtelSpool.max_mib = 512
