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


def test_the_newest_kernels_are_kept():
    attributions = Attributions(max_kernels=1)
    attributions.note("k1", "m1", ANNS)
    attributions.note("k2", "m1", ANNS)

    assert attributions.of("k1", "m1") is None
    assert attributions.of("k2", "m1") is ANNS


def test_what_belongs_to_no_execution_is_the_only_persons_who_ran_anything():
    attributions = Attributions()
    attributions.note("k1", "m1", ANNS)

    assert attributions.of("k1", "") == Attribution(person=ANNS.person)
    attributions.note("k1", "m2", Attribution(person=Person("bob", "bob")))
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
