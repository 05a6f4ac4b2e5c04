"""Addresses: what is connected to is checked, whatever text or name it came by."""

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from campaigns.channels.addresses import CANDIDATES_MAX, AddressRefused, Guard, Unresolvable
from tests.campaigns.channels.parcels import LOOPBACK, PARCEL, SIGNED, open_channels
from tests.harness.receiver import receiver

PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "100.128.0.1", "2606:4700::1111"]
REFUSED = [
    *("0.0.0.0", "127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255"),  # noqa: S104
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.192"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    "168.63.129.16",
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::1", "2002:808:808::1"),
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "100::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1"),
]
"""Of these, `is_global` alone lets NAT64, 6to4, multicast and some more pass."""


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_connected_to(address: str) -> None:
    assert Guard().permits(address)


@pytest.mark.parametrize("address", REFUSED)
def test_every_other_address_may_not(address: str) -> None:
    assert not Guard().permits(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "2130706433"])
def test_what_is_no_address_may_not(text: str) -> None:
    assert not Guard().permits(text)


def test_an_operators_networks_may_be_connected_to_and_nothing_beside_them() -> None:
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")])

    assert [
        guard.permits(address)
        for address in ("10.1.255.255", "::ffff:10.1.0.1", "10.2.0.1", "fd00:1::1", "fd00:2::1")
    ] == [True, True, False, True, False]


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost"])
async def test_a_name_is_judged_by_where_it_leads(host: str) -> None:
    guard = Guard()

    with pytest.raises(AddressRefused) as refused:
        await guard.addresses(host, 80)

    assert str(refused.value) == (
        f"{host} is not a public address: whoever runs the service opens others"
        " by TUPPENCE_WEBHOOK_ALLOWED_NETWORKS."
    )
    guard.close()


async def test_of_a_names_addresses_only_those_permitted_are_dialled() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["10.0.0.1", "1.1.1.1", "::1", "8.8.8.8"]

    assert await Guard(resolver=resolve).addresses("mixed.example", 80) == ["1.1.1.1", "8.8.8.8"]


async def test_no_more_than_a_few_of_a_names_addresses_are_dialled() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return [f"1.1.1.{n}" for n in range(100)]

    found = await Guard(resolver=resolve).addresses("many.example", 80)

    assert found == [f"1.1.1.{n}" for n in range(CANDIDATES_MAX)]


async def test_a_name_without_addresses_is_not_there_now() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return []

    with pytest.raises(Unresolvable):
        await Guard(resolver=resolve).addresses("nowhere.example", 80)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"]
)
async def test_no_webhook_reaches_this_machine_by_any_of_its_names(host: str) -> None:
    async with receiver() as shop, open_channels(allowed_networks=()) as channels:
        url = f"http://{host}:{shop.port}/hook"

        receipt = await channels.send("WEBHOOK", {"url": url}, SIGNED, PARCEL)

        assert (receipt.verdict, receipt.reason, shop.connections) == ("REJECTED", "REJECTED", 0)
        assert receipt.error
        assert receipt.error.endswith("others by TUPPENCE_WEBHOOK_ALLOWED_NETWORKS.")


async def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once() -> None:
    asked: list[str] = []

    async def rebind(host: str, port: int) -> Sequence[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    networks = [ip_network("127.0.0.1/32")]
    async with (
        receiver() as shop,
        open_channels(allowed_networks=networks, resolver=rebind) as channels,
    ):
        settings = {"url": f"http://rebinding.example:{shop.port}/"}

        receipt = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

        assert (receipt.verdict, asked) == ("SENT", ["rebinding.example"])
        assert shop.received[0].headers["host"] == f"rebinding.example:{shop.port}"


async def test_each_new_connection_is_checked_anew() -> None:
    asked: list[str] = []

    async def rebind(host: str, port: int) -> Sequence[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    networks = [ip_network("127.0.0.1/32")]
    async with open_channels(allowed_networks=networks, resolver=rebind) as channels:
        async with receiver() as shop:
            settings = {"url": f"http://rebinding.example:{shop.port}/"}
            first = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)
        second = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

    assert (first.verdict, second.verdict, len(asked)) == ("SENT", "REJECTED", 2)


async def test_an_address_that_does_not_answer_is_followed_by_the_next() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["127.0.0.2", "127.0.0.1"]

    async with receiver() as shop, open_channels(resolver=resolve) as channels:
        settings = {"url": f"http://two.example:{shop.port}/"}

        receipt = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

    assert (receipt.verdict, LOOPBACK[0].num_addresses > 2) == ("SENT", True)
