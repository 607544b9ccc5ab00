"""Policy "hipaa": who did what, with no health information. See the .yaml beside it."""

from pathlib import Path

c = get_config()  # noqa: F821 - traitlets gives it

c.OtelPolicy.level = "audit"
c.OtelPolicy.identity = "name"
c.OtelPolicy.code = "hash"
c.OtelPolicy.files = [str(Path(__file__).with_suffix(".yaml"))]
# Minimum necessary: how somebody uses the screen is no audit record.
c.OtelPolicy.exclude = [
    "https://events.jupyter.org/jupyter_otel/lab_command/*",
    "https://events.jupyter.org/jupyter_otel/page_activity/*",
    "https://events.jupyter.org/jupyter_otel/ui_click/*",
]
c.OtelConsent.mode = "mandatory"
c.OtelExport.hold_on_auth_error = True
c.OtelSpool.max_age_s = 7 * 86_400.0
