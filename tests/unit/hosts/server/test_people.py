from types import SimpleNamespace

import pytest
from jupyter_server import CallContext
from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)

from jupyter_otel.event import ACCOUNT, NOBODYS, Attribution, Person
from jupyter_otel.hosts.server.people import (
    People,
    account_of,
    names_people,
)
from jupyter_otel.hosts.trace_context import TraceContext
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.tracing.spans import SpanStarter
from tests.unit.sources.requests import handler_of


class NamingProvider(IdentityProvider):
    """A provider of a deployment's own."""

    def get_user(self, handler):
        """Know everybody."""
        return User("ann")


class RestyledProvider(PasswordIdentityProvider):
    """A provider that changes something else."""

    def get_handlers(self):
        """Serve no pages."""
        return []


class Handler:
    """A handler whose request is not authenticated yet."""

    @property
    def current_user(self):
        """Fail as jupyter_server's does."""
        raise RuntimeError("not yet")


ANN = SimpleNamespace(current_user=User("ann"), _finished=False)


@pytest.mark.parametrize(
    ("provider", "named"),
    [
        (IdentityProvider, False),
        (PasswordIdentityProvider, False),
        (LegacyIdentityProvider, False),
        (RestyledProvider, False),
        (NamingProvider, True),
    ],
)
def test_only_a_provider_of_ones_own_names_people(provider, named):
    assert names_people(provider()) is named


def test_a_named_user_is_the_person():
    people = People(NamingProvider(), {})

    assert people.person(ANN) == Person("user:ann", "ann")


def test_an_anonymous_user_is_the_servers_account():
    people = People(IdentityProvider(), {})

    assert people.person(ANN) == ACCOUNT == Person("account", None)


def test_under_a_hub_the_server_sends_no_name():
    people = People(NamingProvider(), {"JUPYTERHUB_API_URL": "http://hub"})

    assert people.person(ANN) == Person("user:ann", None)


@pytest.mark.parametrize(
    "handler",
    [
        Handler(),
        SimpleNamespace(current_user=None),
        SimpleNamespace(current_user=SimpleNamespace(username="")),
    ],
)
def test_somebody_unknown_is_the_servers_account(handler):
    assert People(NamingProvider(), {}).person(handler) == ACCOUNT


@pytest.fixture
def serve():
    """Return what makes a handler the one that serves in this context."""
    yield lambda handler: CallContext.set(CallContext.JUPYTER_HANDLER, handler)
    CallContext.set(CallContext.JUPYTER_HANDLER, None)


def test_the_request_being_served_says_whose_an_event_is(serve):
    people = People(NamingProvider(), {})

    outside = people.attribution()
    serve(ANN)

    assert (outside, people.attribution()) == (
        NOBODYS,
        Attribution(Person("user:ann", "ann")),
    )


def test_an_event_inside_a_request_belongs_to_its_span(serve):
    spans = RequestSpans(TraceContext(SpanStarter(), tells_kernel=False))
    people = People(IdentityProvider(), {}, spans)
    handler = handler_of()

    serve(handler)
    first, second = people.attribution(), people.attribution()
    handler._finished = True

    assert first == second == Attribution(ACCOUNT, spans.begun(handler))
    assert first.span is not None
    assert people.attribution() == NOBODYS


def test_what_goes_on_after_a_request_is_nobodys(serve):
    people = People(NamingProvider(), {})

    serve(SimpleNamespace(current_user=User("ann"), _finished=True))

    assert people.attribution() == NOBODYS


def test_a_user_named_account_is_not_the_account():
    handler = SimpleNamespace(current_user=User("account"))

    assert People(NamingProvider(), {}).person(handler).subject != "account"


HUB = {"JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api", "JUPYTERHUB_USER": "ann"}


@pytest.mark.parametrize(
    ("provider", "environ", "person"),
    [
        (IdentityProvider, {}, ACCOUNT),
        (IdentityProvider, HUB, ACCOUNT),
        (NamingProvider, {}, None),
        (NamingProvider, {"JUPYTERHUB_USER": "ann"}, None),
        (NamingProvider, HUB, Person("user:ann", None)),
        (NamingProvider, {**HUB, "JUPYTERHUB_USER": ""}, None),
    ],
)
def test_what_the_account_does_is_its_owners_where_there_is_one(
    provider, environ, person
):
    assert account_of(provider(), environ) == person


def test_an_owner_at_a_hub_is_whoever_signs_in_as_they():
    signed_in = People(NamingProvider(), HUB).person(ANN)

    assert account_of(NamingProvider(), HUB) == signed_in
