import pytest
from jupyter_server.auth.identity import (
    IdentityProvider,
    PasswordIdentityProvider,
    User,
)
from jupyter_server.auth.login import LegacyLoginHandler, LoginFormHandler
from jupyter_server.auth.logout import LogoutHandler
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import RequestHandler

from jupyter_otel.event import Attribution, Person
from jupyter_otel.hosts.trace_context import TraceContext
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.sources.sign_in_counts import MAX_ADDRESSES, PERIOD_S, TOLD_SINGLY
from jupyter_otel.sources.sign_in_reading import SignInReader
from jupyter_otel.sources.sign_ins import SIGN_IN_SCHEMA, SignIns
from jupyter_otel.tracing.spans import SpanStarter
from tests.unit.sources.conftest import make_schema
from tests.unit.sources.requests import handler_of

ANN = Person("user:ann", "ann")
NOBODY, UNASKED, GOOD = None, ..., "good"
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - as tornado says it


class PageHandler(JupyterHandler):
    """A page."""


class ThingsHandler(APIHandler):
    """A part of an API."""


class SignIn:
    """A server's requests, one after another."""

    def __init__(self, intake, provider):
        self.intake, self.provider = intake, provider
        self.spans = RequestSpans(TraceContext(SpanStarter(), tells_kernel=False))
        self.timers = []
        self.sign_ins = SignIns(
            intake,
            make_schema(SIGN_IN_SCHEMA),
            SignInReader(provider),
            lambda _handler: ANN,
            self.spans,
            lambda delay_s, call: self.timers.append((delay_s, call)),
        )

    def ask(self, kind, user=NOBODY, *, token_good=False, cookie=False, **asked):
        """Let the server answer one request; return its handler."""
        address = asked.pop("address", "192.0.2.7")
        settings = {"identity_provider": self.provider, "base_url": "/"}
        handler = handler_of(kind, settings={**settings, "cookie_secret": "x"}, **asked)
        handler.request.remote_ip = address
        if user is not UNASKED and isinstance(handler, JupyterHandler):
            handler.current_user = user
        if token_good:
            handler._token_authenticated = True
        if cookie:
            self.provider.set_login_cookie(handler, user)
        self.sign_ins.watch(handler)
        return handler

    @property
    def told(self):
        """Return action and method of each event."""
        return [(data["action"], data.get("method")) for data in self.intake.data]


@pytest.fixture
def sign_in(intake):
    provider = PasswordIdentityProvider()
    provider.token = GOOD
    return SignIn(intake, provider)


@pytest.fixture
def user():
    return User("ann")


FORM = {"method": "POST", "uri": "/login?next=%2Fsecret"}


def test_a_failed_sign_in_is_told_without_what_was_tried(sign_in, intake):
    sign_in.ask(
        LoginFormHandler,
        status=401,
        Cookie="c=d",
        User_Agent="agent",
        X_Forwarded_For="198.51.100.1",
        **FORM,
    )

    [taken] = intake.taken
    assert taken.data == {
        "action": "login_failed",
        "method": "token",
        "status_code": 401,
        "handler": "LoginFormHandler",
        "remote_address": "192.0.2.7",
        "count": 1,
    }
    assert taken.attribution == Attribution()


def test_a_sign_in_is_its_persons_and_belongs_to_the_request_that_is_recorded(
    sign_in, intake, user
):
    handler = sign_in.ask(LoginFormHandler, user, status=302, **FORM)

    [taken] = intake.taken
    assert taken.data["action"] == "login"
    assert taken.attribution == Attribution(person=ANN)
    sign_in.spans.of(handler)
    sign_in.sign_ins.watch(handler)
    assert intake.taken[1].attribution == Attribution(ANN, sign_in.spans.of(handler))


@pytest.mark.parametrize(
    ("status", "who", "told"),
    [
        (302, User("ann"), ["login"]),
        (303, NOBODY, ["login"]),
        (200, User("ann"), ["login"]),
        (200, NOBODY, ["login_failed"]),
        (401, NOBODY, ["login_failed"]),
        (403, UNASKED, ["login_failed"]),
        (400, UNASKED, []),
        (500, NOBODY, []),
    ],
)
@pytest.mark.parametrize("kind", [LoginFormHandler, LegacyLoginHandler])
def test_a_form_is_judged_by_its_answer(sign_in, kind, status, who, told):
    sign_in.ask(kind, who, status=status, **FORM)

    assert [action for action, _ in sign_in.told] == told


def test_looking_at_the_form_is_no_act(sign_in, user):
    sign_in.ask(LoginFormHandler)
    sign_in.ask(LoginFormHandler, user, status=302)

    assert sign_in.told == []


class OwnForm(PasswordIdentityProvider):
    """A provider with a form of its own."""

    def process_login_form(self, handler):
        """Read the form."""


@pytest.mark.parametrize(
    ("kind", "token", "password", "method"),
    [
        (IdentityProvider, "good", None, "token"),
        (PasswordIdentityProvider, "good", "", "token"),
        (PasswordIdentityProvider, "", "hashed", "password"),
        (PasswordIdentityProvider, "good", "hashed", None),
        (PasswordIdentityProvider, "", "", "none"),
        (OwnForm, "good", "", None),
    ],
)
def test_the_method_of_a_form_is_told_where_it_can_be(
    intake, kind, token, password, method
):
    provider = kind(token=token)
    if password is not None:
        provider.hashed_password = password
    sign_in = SignIn(intake, provider)

    sign_in.ask(LoginFormHandler, status=401, **FORM)

    assert sign_in.told == [("login_failed", method)]


WITH_TOKEN = [
    {"uri": "/lab?token=something"},
    {"uri": "/lab?a=b&token="},
    {"Authorization": "token something"},
    {"Authorization": "Bearer something"},
]


@pytest.mark.parametrize("asked", WITH_TOKEN)
@pytest.mark.parametrize(
    ("kind", "status"),
    [(ThingsHandler, 403), (PageHandler, 302), (LoginFormHandler, 200)],
)
def test_a_token_that_is_not_good_is_a_failed_sign_in(sign_in, asked, kind, status):
    sign_in.ask(kind, status=status, **asked)

    assert sign_in.told == [("login_failed", "token")]


def test_a_browser_that_comes_with_a_good_token_signs_in(sign_in, user):
    asked = {"uri": "/lab?token=good", "token_good": True}
    sign_in.ask(PageHandler, user, cookie=True, **asked)
    sign_in.ask(PageHandler, user, **asked)

    assert sign_in.told == [("login", "token")]


def test_a_program_that_sends_a_good_token_each_time_signs_in_after_a_failure_only(
    sign_in, user
):
    asked = {"Authorization": "token something"}
    for _ in range(3):
        sign_in.ask(ThingsHandler, user, token_good=True, cookie=True, **asked)
    before = sign_in.told.copy()
    sign_in.ask(ThingsHandler, status=403, **asked)
    for address in ("192.0.2.8", "192.0.2.7", "192.0.2.7"):
        sign_in.ask(ThingsHandler, user, token_good=True, address=address, **asked)

    assert before == []
    assert sign_in.told == [("login_failed", "token"), ("login", "token")]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (ThingsHandler, {"uri": "/things?token=good"}),
        (PageHandler, {"Authorization": "token good"}),
    ],
)
def test_a_program_is_no_browser_though_it_is_given_a_cookie(
    sign_in, user, kind, asked
):
    sign_in.ask(kind, user, token_good=True, cookie=True, **asked)

    assert sign_in.told == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_good_token_that_is_not_enough_is_refused(sign_in, user, status):
    asked = {"uri": "/lab?token=good", "token_good": True, "cookie": True}
    sign_in.ask(PageHandler, user, status=status, **asked)

    assert sign_in.told == [("forbidden", "token")]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("kind", "who", "method"),
    [
        (ThingsHandler, NOBODY, "none"),
        (ThingsHandler, User("ann"), None),
        (PageHandler, UNASKED, None),
        (RequestHandler, NOBODY, "none"),
    ],
)
def test_a_refusal_is_told(sign_in, status, kind, who, method):
    sign_in.ask(kind, who, status=status)

    assert sign_in.told == [("forbidden", method)]


def test_a_refusal_is_the_persons_who_signed_in_and_else_nobodys(sign_in, intake, user):
    sign_in.ask(ThingsHandler, user, status=403)
    sign_in.ask(ThingsHandler, status=403)
    sign_in.ask(PageHandler, UNASKED, status=403)

    persons = [taken.attribution.person for taken in intake.taken]
    assert persons == [ANN, None, None]


def test_whoever_was_refused_before_anybody_looked_has_offered_nothing(sign_in):
    asked = {"Authorization": "token something"}

    sign_in.ask(ThingsHandler, UNASKED, method="MINE", status=405, **asked)
    sign_in.ask(ThingsHandler, UNASKED, status=403, **asked)

    assert sign_in.told == [("forbidden", None)]


def test_only_somebody_signs_out(sign_in, user):
    sign_in.ask(LogoutHandler)
    sign_in.ask(LogoutHandler, user)

    assert sign_in.told == [("logout", None)]


def test_what_is_neither_is_not_told(sign_in, user):
    sign_in.ask(ThingsHandler, user)
    sign_in.ask(ThingsHandler, user, status=404)
    sign_in.ask(PageHandler, NOBODY, status=302)
    sign_in.ask(RequestHandler, uri="/lab/?token=good", status=302)

    assert sign_in.told == []


def test_who_fails_without_end_is_counted_and_makes_few_records(sign_in, intake):
    for _ in range(500):
        sign_in.ask(LoginFormHandler, status=401, **FORM)
    singly = len(intake.taken)
    [(delay_s, tell)] = sign_in.timers
    tell()

    assert (singly, delay_s) == (TOLD_SINGLY, PERIOD_S)
    assert intake.data[-1] == {
        "action": "login_failed",
        "method": "token",
        "status_code": 401,
        "remote_address": "192.0.2.7",
        "count": 500 - TOLD_SINGLY,
    }
    assert sum(data["count"] for data in intake.data) == 500


def test_failures_that_were_counted_come_before_the_sign_in_that_follows(
    sign_in, intake, user
):
    for _ in range(TOLD_SINGLY + 3):
        sign_in.ask(LoginFormHandler, status=401, **FORM)
    sign_in.ask(LoginFormHandler, user, status=302, **FORM)

    last = [(data["action"], data["count"]) for data in intake.data[-2:]]
    assert last == [("login_failed", 3), ("login", 1)]


def test_who_has_many_addresses_makes_few_records_too(sign_in, intake):
    for number in range(MAX_ADDRESSES + 500):
        sign_in.ask(ThingsHandler, status=403, address=f"2001:db8::{number:x}")
    sign_in.sign_ins.tell_rest()

    assert len(intake.taken) == MAX_ADDRESSES + TOLD_SINGLY + 1
    assert sum(data["count"] for data in intake.data) == MAX_ADDRESSES + 500
    assert "remote_address" not in intake.data[-1]


def test_a_period_that_is_over_is_followed_by_another(sign_in, intake):
    for number in range(MAX_ADDRESSES):
        sign_in.ask(ThingsHandler, status=403, address=f"2001:db8::{number:x}")
    sign_in.timers[0][1]()
    sign_in.ask(ThingsHandler, status=403)

    assert len(sign_in.timers) == 2
    assert intake.data[-1]["remote_address"] == "192.0.2.7"


def test_a_socket_without_an_address_has_none(sign_in, intake):
    sign_in.ask(ThingsHandler, status=403, address=NO_ADDRESS)

    assert "remote_address" not in intake.data[0]


def test_who_fails_and_succeeds_by_turns_makes_few_records_too(sign_in, intake, user):
    asked = {"Authorization": "token something"}
    for _ in range(100):
        for _ in range(TOLD_SINGLY):
            sign_in.ask(ThingsHandler, status=403, **asked)
        sign_in.ask(ThingsHandler, user, token_good=True, **asked)
    [(_, tell)] = sign_in.timers
    tell()
    sign_in.ask(ThingsHandler, user, token_good=True, **asked)

    told = [(data["action"], data["count"]) for data in intake.data]
    assert told == [
        *[("login_failed", 1)] * TOLD_SINGLY,
        ("login", 1),
        ("login_failed", 99 * TOLD_SINGLY),
        ("login", 1),
    ]


def test_a_success_tells_only_of_failures_from_where_it_came(sign_in, intake, user):
    for address in ("192.0.2.7", "192.0.2.8"):
        for _ in range(TOLD_SINGLY + 2):
            sign_in.ask(LoginFormHandler, status=401, address=address, **FORM)
    before = len(intake.taken)
    sign_in.ask(LoginFormHandler, user, status=302, address="192.0.2.8", **FORM)
    sign_in.ask(LoginFormHandler, status=401, address="192.0.2.8", **FORM)
    after = intake.data[before:]
    sign_in.sign_ins.tell_rest()

    told = [(data["remote_address"], data["count"]) for data in after]
    assert told == [("192.0.2.8", 2), ("192.0.2.8", 1)]
    rest = [(data["remote_address"], data["count"]) for data in intake.data[-2:]]
    assert rest == [("192.0.2.7", 2), ("192.0.2.8", 1)]
    assert len(sign_in.timers) == 1
