"""Ids: TypeIDs that sort by the time of their making, one by one or many at a time."""

from itertools import pairwise

from uuid_utils import UUID

from models.ids import find_prefix, new_id, new_ids

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def uuid_of(id: str) -> UUID:
    number = 0
    for letter in id.partition("_")[2]:
        number = number * 32 + ALPHABET.index(letter)
    return UUID(int=number)


def test_each_is_later_than_all_before_it() -> None:
    made: list[str] = []
    for _ in range(1_000):
        made += [new_id("txn"), *new_ids("txn", 3), new_id("txn"), *new_ids("txn", 1)]

    assert all(earlier < later for earlier, later in pairwise(made))


def test_many_at_a_time_are_as_each_would_be() -> None:
    before, *many, after = new_id("evt"), *new_ids("evt", 2_000), new_id("evt")

    assert len(many) == 2_000
    assert set(map(find_prefix, many)) == {"evt"}
    uuids = [uuid_of(each) for each in (before, *many, after)]
    assert {(uuid.version, uuid.variant) for uuid in uuids} == {(7, "specified in RFC 4122")}
    assert [each for each in many if not before < each < after] == []


def test_none_are_none() -> None:
    assert new_ids("aud", 0) == []
