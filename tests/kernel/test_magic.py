import pytest
from IPython.core.error import UsageError

from jupyter_otel_kernel import extension

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
CONTEXT = (
    "mode      context: spans of your own OpenTelemetry setup join the cell's trace"
)


@pytest.fixture
def told(run, capsys):
    """Return what runs `%otel` in a cell and returns the lines that it prints."""

    def told(**metadata):
        run("%otel", **metadata)
        return capsys.readouterr().out.splitlines()

    return told


def test_the_current_trace_and_what_is_recorded_are_told(told):
    assert told(traceparent=TRACEPARENT) == [
        f"trace     {TRACE_ID}",
        CONTEXT,
        "events    nobody listens",
        "datasets  not recorded",
    ]


def test_where_there_is_no_trace_that_is_told(told):
    assert told()[0] == "trace     none here"


def test_what_the_server_asks_for_is_told(told):
    asks = {"listens": True, "datasets": True}
    assert told(jupyter_otel=asks)[2:] == [
        "events    the server listens; 0 sent, 0 lost",
        "datasets  recorded: which data is opened, not what is in it",
    ]
    assert told()[2:] == [
        "events    nobody listens; 0 sent, 0 lost",
        "datasets  not recorded now",
    ]


def test_failures_of_our_own_are_told_and_not_shown(told, run, shell):
    extension._extension._get_parent = None
    run("pass")
    extension._extension._get_parent = shell.kernel.get_parent
    assert told()[-1] == "failed    2 of our own hooks"


def test_an_argument_is_refused_with_what_it_would_show(shell):
    with pytest.raises(UsageError) as refused:
        shell.run_line_magic("otel", "trace")
    assert str(refused.value) == (
        "%otel takes no argument, got 'trace'. It shows the current trace id and what"
        " is recorded about this kernel."
    )


def test_a_magic_of_the_users_own_comes_back(kernel):
    def otel(_line):
        """Belong to the user."""

    magics = kernel.shell.magics_manager.magics["line"]
    magics["otel"] = otel
    kernel.shell.extension_manager.load_extension("jupyter_otel_kernel")
    ours = magics["otel"]
    kernel.shell.extension_manager.unload_extension("jupyter_otel_kernel")

    assert ours is not otel
    assert magics.pop("otel") is otel
