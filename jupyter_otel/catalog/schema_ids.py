"""A schema's id and version, as its body states them.

Event names, which mapping makes out of ids, are not here.
"""

import re
from collections.abc import Mapping
from typing import Any

from jupyter_otel.errors import SchemaError

_VERSION_SEGMENT = re.compile(r"(?:^|[/:])v([0-9]+)(?=$|[/:?#])")


def schema_id(body: Mapping[str, Any], origin: str) -> str:
    """Return a body's ``$id`` (Draft 4: ``id``), byte for byte.

    Raises:
        SchemaError: It has none.
    """
    for key in ("$id", "id"):
        value = body.get(key)
        if isinstance(value, str) and value:
            return value
    raise SchemaError(
        f"{origin}: a schema must have an `$id`, a text that names it. "
        'Add one, for example `"$id": https://example.org/tools/run/v1`.'
    )


def schema_version(body: Mapping[str, Any], identifier: str) -> str | None:
    """Return the version as text: the stated one, else the id's last ``v<digits>``.

    ``version: 1`` gives ``"1"``, an id that ends in ``/v2`` gives ``"2"``.
    """
    stated = body.get("version")
    if isinstance(stated, str) and stated:
        return stated
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return str(stated)
    segments = _VERSION_SEGMENT.findall(identifier)
    return segments[-1] if segments else None
