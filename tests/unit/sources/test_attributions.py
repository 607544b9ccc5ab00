from jupyter_otel.event import Attribution, Person
from jupyter_otel.sources.attributions import Attributions

ANNS = Attribution(person=Person("ann", "ann"))


def test_an_execution_is_attributed_to_who_asked_its_kernel():
    attributions = Attributions()
    attributions.note("k1", "m1", ANNS)

    assert attributions.of("k1", "m1") is ANNS
    assert attributions.of("k1", "m2") is None
    assert attributions.of("k2", "m1") is None


def test_a_kernel_keeps_its_newest_and_pushes_out_nobody_elses():
    attributions = Attributions(max_executions=2)
    attributions.note("k1", "m1", ANNS)
    for msg_id in ("m1", "m2", "m3"):
        attributions.note("k2", msg_id, ANNS)

    kept = [attributions.of("k2", msg_id) for msg_id in ("m1", "m2", "m3")]
    assert kept == [None, ANNS, ANNS]
    assert attributions.of("k1", "m1") is ANNS


def test_kernels_that_are_gone_make_room_and_those_that_live_do_not():
    alive = {"k1", "k2", "k3"}
    attributions = Attributions(is_alive=alive.__contains__, max_kernels=2)
    for kernel_id in ("k1", "k2"):
        attributions.note(kernel_id, "m1", ANNS)
    alive.remove("k2")
    attributions.note("k3", "m1", ANNS)
    attributions.note("k4", "m1", ANNS)

    known = [attributions.of(each, "m1") for each in ("k1", "k2", "k3", "k4")]
    assert known == [ANNS, None, ANNS, ANNS]


def test_what_belongs_to_no_execution_is_the_only_persons_who_ran_anything():
    attributions = Attributions()
    attributions.note("k1", "m1", ANNS)

    assert attributions.of("k1", "") == Attribution(person=ANNS.person)
    bobs = Attribution(person=Person("bob", "bob"))
    attributions.note("k1", "m2", bobs)
    attributions.note("k1", "", bobs)
    assert attributions.of("k1", "") is None
    assert attributions.of("k2", "") is None


def test_an_id_that_two_people_used_is_known_and_nobodys():
    attributions = Attributions()
    bobs = Attribution(person=Person("bob", "bob"))
    attributions.note("k1", "m1", ANNS)
    attributions.note("k1", "m1", bobs)
    attributions.note("k1", "m1", bobs)
    attributions.note("k1", "m2", bobs)

    assert [attributions.of("k1", each) for each in ("m1", "m2")] == [None, bobs]
    known = [attributions.knows("k1", each) for each in ("m1", "m2", "m3")]
    assert known == [True, True, False]
