"""The errors this package raises, all of them at start or at registration.

::

    JupyterOtelError
    ├── ConfigError   a setting cannot be used
    ├── SchemaError   a schema, an overlay or (under ``strict``) an event cannot
    └── SpoolError    the spool cannot be opened, read or written

While events flow nothing here reaches the host: a failure is a counted drop.
"""


class JupyterOtelError(Exception):
    """Base of everything that this package raises on purpose."""


class ConfigError(JupyterOtelError):
    """A setting cannot be used; the message names it, the rule, the value, the cure."""


class SchemaError(JupyterOtelError):
    """A schema or an overlay cannot be used, or an event does not fit its schema."""


class SpoolError(JupyterOtelError):
    """The spool file cannot be opened, read or written."""
