"""Loading: what several fields ask for together is theirs each, whatever becomes of one of them."""

from tests.harness.client import Client

TWO = """query Two($id: ID!) {
  gone: wallet(ref: {id: $id}) {
    member { identity } transactions(after: "nowhere") { edges { cursor } } }
  there: wallet(ref: {id: $id}) { member { identity } } }"""


async def test_a_field_that_fails_takes_nothing_from_another(client: Client) -> None:
    wallet = (await client.credit("ann", 50)).wallet
    assert wallet

    for _ in range(3):
        status, answer = await client.ask(TWO, {"id": wallet.id})

        assert status == 200, answer
        assert answer["data"] == {"gone": None, "there": {"member": {"identity": "ann"}}}
        assert [error["path"] for error in answer["errors"]] == [["gone", "transactions"]]
