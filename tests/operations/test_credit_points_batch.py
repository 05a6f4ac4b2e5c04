"""creditPointsBatch: up to a thousand credits, each of which stands or falls alone."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.refusals import assert_request_error
from tests.harness.values import Balance

LEAN = """mutation Lean($input: CreditPointsBatchInput!) {
  creditPointsBatch(input: $input) {
    results { replayed transaction { id points } errors { __typename } }
    errors { __typename ... on UserError { path } }
  } }"""


async def test_answers_in_the_order_of_the_credits(client: Client) -> None:
    answer = await client.credit_batch(
        [client.credit_of("ann", 1), client.credit_of("bob", 2), client.credit_of("ann", 3)]
    )

    assert answer.error is None
    assert [each.posted.points for each in answer.results] == [1, 2, 3]
    assert [each.replayed for each in answer.results] == [False, False, False]
    assert await client.balance("ann") == Balance(active=4)
    assert await client.balance("bob") == Balance(active=2)


async def test_each_item_stands_or_falls_alone(client: Client) -> None:
    await client.credit("fay", 1)
    await client.freeze("fay")

    answer = await client.credit_batch(
        [
            client.credit_of("ann", 1),
            client.credit_of("ann", 0),
            client.credit_of("ann", 2, program="Nowhere"),
            client.credit_of("fay", 3),
            client.credit_of("ann", 4),
        ]
    )

    assert [each.error for each in answer.results] == [
        None,
        "InvalidInput",
        "ProgramNotFound",
        "WalletFrozen",
        None,
    ]
    assert await client.balance("ann") == Balance(active=5)
    assert await client.balance("fay") == Balance(active=1)


async def test_an_items_error_path_leads_to_the_item(client: Client) -> None:
    answer = await client.credit_batch([client.credit_of("ann", 1), client.credit_of("ann", 0)])

    path = answer.results[1].error_path
    assert path[0] == "input"
    assert path[-1] == "points"


async def test_a_key_repeated_within_a_batch_replays(client: Client) -> None:
    answer = await client.credit_batch(
        [
            client.credit_of("ann", 5, key="twice"),
            client.credit_of("ann", 5, key="twice"),
            client.credit_of("ann", 6, key="twice"),
        ]
    )

    first, second, third = answer.results
    assert (first.replayed, second.replayed) == (False, True)
    assert second.posted == first.posted
    assert third.error == "IdempotencyConflict"
    assert third.details == {"transaction": {"id": first.posted.id}}
    assert await client.balance("ann") == Balance(active=5)


async def test_a_batch_sent_again_replays_whole(client: Client, unchanged: Unchanged) -> None:
    credits_ = [client.credit_of(who, 5, key=f"gift-{who}") for who in ("ann", "bob", "cyd")]
    first = await client.credit_batch(credits_)

    async with unchanged():
        again = await client.credit_batch(credits_)

    assert [each.replayed for each in again.results] == [True, True, True]
    assert [each.posted for each in again.results] == [each.posted for each in first.results]


async def test_an_item_and_a_single_credit_share_their_keys(
    client: Client, unchanged: Unchanged
) -> None:
    single = await client.credit("ann", 5, key="k")
    batch = await client.credit_batch([client.credit_of("bob", 6, key="l")])

    async with unchanged():
        as_item = await client.credit_batch([client.credit_of("ann", 5, key="k")])
        as_single = await client.credit("bob", 6, key="l")

    assert as_item.results[0].replayed is True
    assert as_item.results[0].posted == single.posted
    assert as_single.replayed is True
    assert as_single.posted == batch.results[0].posted


async def test_an_empty_batch_is_refused_or_does_nothing(
    client: Client, unchanged: Unchanged
) -> None:
    async with unchanged():
        answer = await client.credit_batch([])

    assert answer.results == ()
    assert answer.error in {None, "InvalidInput"}


async def test_a_thousand_credits_are_one_batch(client: Client) -> None:
    credits_ = [client.credit_of(f"m{n % 50}", n + 1, key=f"k{n}") for n in range(1_000)]

    data = await client.execute(LEAN, input={"credits": credits_})

    results = data["creditPointsBatch"]["results"]
    assert [each["transaction"]["points"] for each in results] == list(range(1, 1_001))
    health = await client.health()
    assert (health.wallets, health.transactions) == (50, 1_000)
    assert health.violations == []


async def test_a_thousand_and_one_are_refused_and_none_is_credited(
    client: Client, unchanged: Unchanged
) -> None:
    credits_ = [client.credit_of("ann", 1, key=f"k{n}") for n in range(1_001)]

    async with unchanged():
        status, answer = await client.ask(LEAN, {"input": {"credits": credits_}})

    if answer.get("errors"):
        assert_request_error(status, answer, "credits")
    else:
        payload = answer["data"]["creditPointsBatch"]
        assert payload["results"] == []
        assert payload["errors"] == [{"__typename": "InvalidInput", "path": ["input", "credits"]}]
