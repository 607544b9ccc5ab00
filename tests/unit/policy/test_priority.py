from jupyter_otel.policy.priority import priority, queue_share
from jupyter_otel.schema import Group


def test_sign_ins_and_executions_are_kept_longest_and_clicks_go_first():
    assert sorted(Group, key=priority) == [
        Group.INTERFACE,
        Group.EXTENSIONS,
        Group.OPERATIONS,
        Group.DATA,
        Group.EXECUTIONS,
        Group.SECURITY,
    ]


def test_a_queue_closes_for_groups_in_the_same_order():
    shares = [queue_share(group) for group in sorted(Group, key=priority)]

    assert shares == [0.75, 0.8, 0.85, 0.9, 0.95, 1.0]
