"""The operations that are measured, as a client with named operations sends them."""

import json
from collections.abc import Sequence

KEY = "tpk_01kb00000000000000000000be_the-stopwatch-lets-itself-in-by-this"
"""The first admin key of each service that is measured: it takes it from a file."""

AUTHORIZATION = f"Bearer {KEY}"
"""What every request shows. The naive service doesn't look."""

SERIAL = "#" * 20
"""Stands in a request for the serial number that the load client puts in its place, as wide."""

TRANSACTION = """fragment transaction on Transaction {
  id sequence kind points
  change { active promised held } balanceAfter { active promised held }
  source campaignId couponCode description activeAt expiresAt
  order { id saleAmount saleChannel locationId } metadata
  related { id } hold { id } effectiveAt createdAt
}"""

CREDIT = (
    """mutation Credit($input: CreditPointsInput!) {
  creditPoints(input: $input) {
    transaction { ...transaction }
    wallet { id status balance { active promised held } }
    replayed
    refusals: errors { __typename ... on UserError { message path } }
  }
}
"""
    + TRANSACTION
)

WALLET = (
    """query Wallet($ref: WalletRef!, $first: Int!, $after: String) {
  wallet(ref: $ref) {
    id status balance { active promised held }
    program { id name } member { id identity } createdAt
    transactions(first: $first, after: $after) {
      edges { cursor node { ...transaction } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
    + TRANSACTION
)

CREDITS = """mutation Credits($input: CreditPointsBatchInput!) {
  creditPointsBatch(input: $input) {
    results { transaction { id sequence } refusals: errors { __typename } }
    refused: errors { __typename }
  }
}"""

DEBIT = (
    """mutation Debit($input: DebitPointsInput!) {
  debitPoints(input: $input) {
    transaction { ...transaction }
    wallet { id status balance { active promised held } }
    replayed
    refusals: errors { __typename ... on UserError { message path } }
  }
}
"""
    + TRANSACTION
)

BALANCE = """query Balance($ref: WalletRef!) {
  wallet(ref: $ref) {
    id status balance { active promised held }
    program { id name } member { id identity } createdAt
  }
}"""

OLDEST = """query Oldest($ref: WalletRef!, $last: Int!) {
  wallet(ref: $ref) {
    transactions(last: $last) { edges { cursor node { sequence } } pageInfo { startCursor } }
  }
}"""

FIRST_REQUEST = """query First($ref: WalletRef!) { wallet(ref: $ref) { id } }"""

WATCH = """subscription Watch($filter: PointsCreditedFilter) {
  pointsCredited(filter: $filter) {
    id cursor name ctSource walletId transactionId points source pointsDescription
    eventTimestamp identity programId
  }
}"""


def body(document: str, name: str, **variables: object) -> str:
    """Return a request's JSON."""
    asked = {"query": document, "operationName": name, "variables": variables}
    return json.dumps(asked, separators=(",", ":"))


def owner(number: int) -> dict[str, object]:
    """Return the reference to the wallet of the member with this number."""
    return {"owner": {"identity": f"member-{number:05}"}}


def told(member: int, points: int = 12, key: str = f"bench-{SERIAL}") -> dict[str, object]:
    """Return all that a shop tells of a credit or a debit."""
    order = {
        "id": f"order-{member:05}",
        "saleAmount": 129.9,
        "saleChannel": "web",
        "locationId": "store-17",
    }
    return {
        "wallet": owner(member),
        "points": points,
        "idempotencyKey": key,
        "description": "Twelve points for an order of the autumn collection",
        "order": order,
        "metadata": {"basket": ["scarf", "gloves"], "campaign": "autumn", "items": 2},
    }


def credit(member: int, points: int = 12) -> str:
    """Return a credit with all that a shop tells; its key carries the serial number."""
    return body(CREDIT, "Credit", input=told(member, points))


def credits_together(members: Sequence[int]) -> str:
    """Return one request with a credit for each of these members."""
    each = [told(member, key=f"bench-{SERIAL}-{at}") for at, member in enumerate(members)]
    return body(CREDITS, "Credits", input={"credits": each})


def debit(member: int, points: int) -> str:
    """Return a debit with all that a shop tells; its key carries the serial number."""
    return body(DEBIT, "Debit", input=told(member, points))


def balance(member: int) -> str:
    """Return the read of a wallet alone."""
    return body(BALANCE, "Balance", ref=owner(member))


def read(member: int, first: int, after: str | None = None) -> str:
    """Return the read of a wallet with a page of its transactions."""
    return body(WALLET, "Wallet", ref=owner(member), first=first, after=after)


def oldest(member: int, last: int) -> str:
    """Return the read of a wallet's oldest transactions."""
    return body(OLDEST, "Oldest", ref=owner(member), last=last)


def first_request() -> str:
    """Return a small read that must reach the database."""
    return body(FIRST_REQUEST, "First", ref=owner(0))
