"""The worst requests that are let through, or of which much must be read to refuse them."""

import json

from benchmarks.operations import TRANSACTION
from tests.harness.values import Json

BODY_MAX = 1_000_000
BATCH = (
    """mutation ($input: CreditPointsBatchInput!) { creditPointsBatch(input: $input) { results {
  transaction { ...transaction hold { id } related { id } } replayed
  wallet { id status balance { active promised held } member { identity } program { name } }
  errors { __typename } } } }"""
    + TRANSACTION
)
CREDIT = "mutation ($input: CreditPointsInput!) { creditPoints(input: $input) { replayed } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
ROWS = "{ wallets(first: 100) { edges { node { transactions(first: 100) { edges { cursor node"
ROWS_END = " } } } } } }"


def listed(count: int, text: str) -> str:
    """The text so many times, `#` in it being the number."""
    return " ".join(text.replace("#", str(number)) for number in range(count))


def literal(name: str, text: str) -> str:
    return f"{{ program(name: {text}) {{ {name} }} }}"


# ── documents ────────────────────────────────────────────────────────────────────────────────────

ANSWERS = {
    "rows, printed": f"{ROWS} {{ ...transaction }} {ROWS_END} {TRANSACTION}",
    "rows, looked up": f"{ROWS} {{ wallet {{ id balance {{ active }} }} }} {ROWS_END}",
    "rows of rows": (
        "{ wallets(first: 100) { edges { node { transactions(first: 10) { edges { node { wallet {"
        " transactions(first: 10) { edges { node { wallet { id } } } } } } } } } } } }"
    ),
    "wide rows": (
        "{ transactions(first: 100) { edges { node { "
        + listed(15, "a#: change { active promised held } b#: balanceAfter { active promised }")
        + " } } } }"
    ),
    "looked up under thirty names": (
        "{ transactions(first: 100) { edges { node { "
        + listed(30, "a#: wallet { id }")
        + " } } } }"
    ),
    "thirty pages": (
        "{ "
        + listed(30, "a#: transactions(first: 100) { edges { node { id kind hold { id } } } }")
        + " }"
    ),
    "introspection": (
        "{ a: __schema { types { ...t } } b: __schema { types { ...t } } }"
        " fragment t on __Type { name fields { name type { ...k } args { name type { ...k } } }"
        " possibleTypes { ...k } inputFields { name type { ...k } } enumValues { name } }"
        " fragment k on __Type { kind name ofType { kind name ofType { kind name } } }"
    ),
}

DOCUMENTS = {
    "the same field": "{ " + listed(499, "eventCursor") + " }",
    "the same fields within each other": (
        "{ " + listed(9, "programs { " + listed(9, "edges { node { id id id id } }") + " }") + " }"
    ),
    "arguments that differ": "{ " + listed(160, 'program(name: "#") { id }') + " }",
    "fragments that spread each other": (
        "{ "
        + listed(60, "...f#")
        + " } "
        + listed(60, "fragment f# on Query { ...g eventCursor __typename }")
        + " fragment g on Query { eventCursor ...h } fragment h on Query { __typename }"
    ),
    "fields that aren't there": "{ " + listed(499, "creditedNotRedeeme#") + " }",
    "types that aren't there": "{ " + listed(300, "... on Transactio# { id }") + " }",
    "input that isn't there": (
        "query ($i: CreateProgramInput = {" + listed(390, "consumptiom#: FIRSTS") + "})"
        " { eventCursor }"
    ),
    "variables": "query (" + listed(300, "$a#: CreateProgramInpu") + ") { eventCursor }",
    "a long text": literal("id", '"' + "a" * BODY_MAX + '"'),
    "a long text, escaped": literal("id", '"' + "\\n" * (BODY_MAX // 4) + '"'),
    "a long text of lines": literal("id", '"""' + "a\n" * (BODY_MAX // 3) + '"""'),
    "a long comment": "{ eventCursor #" + "a" * BODY_MAX + "\n}",
    "nothing, at length": "{ eventCursor" + ",\n" * (BODY_MAX // 3) + "}",
    "a long name": "{ " + "a" * BODY_MAX + " }",
    "a long number": "{ wallets(first: " + "1" * BODY_MAX + ") { edges { cursor } } }",
}

# ── variables ────────────────────────────────────────────────────────────────────────────────────


def batch(count: int, prefix: str, wallets: int) -> Json:
    """Credits with all that may be told of them."""
    return {
        "credits": [
            {
                "wallet": {"owner": {"identity": f"member-{number % wallets:03}"}},
                "points": 5,
                "idempotencyKey": f"{prefix}-{number}",
                "description": "a" * 300,
                "order": {"id": f"o{number}", "saleAmount": 129.9, "saleChannel": "web"},
                "metadata": {"basket": ["scarf", "gloves"], "items": 2, "note": "a" * 100},
            }
            for number in range(count)
        ]
    }


def credit(**more: object) -> Json:
    known = {"wallet": {"owner": {"identity": "ann"}}, "points": 1, "idempotencyKey": "k"}
    return {"input": {**known, **more}}


VARIABLES: dict[str, tuple[str, Json]] = {
    "a batch of nothing": (BATCH, {"input": {"credits": [{}] * 300_000}}),
    "a batch that is too long": (BATCH, {"input": {"credits": [None] * 2_000}}),
    "ids": (NODES, {"ids": ["1"] * 240_000}),
    "ids that are none": (NODES, {"ids": [None] * 190_000}),
    "fields that aren't there": (CREDIT, credit(**{f"pointss{n}": 1 for n in range(60_000)})),
    "a list in JSON": (CREDIT, credit(metadata={"a": [1] * 480_000})),
    "an object in JSON": (CREDIT, credit(metadata={str(n): 1 for n in range(80_000)})),
    "a long enum": (CREDIT, credit(source="A" * BODY_MAX)),
    "a long instant": (CREDIT, credit(activeAt="1" * BODY_MAX)),
    "a long description": (CREDIT, credit(description="a" * BODY_MAX)),
    "what nobody asked for": ("{ eventCursor }", {f"a{n}": n for n in range(70_000)}),
}


def bodies(attempt: int) -> dict[str, bytes]:
    """Each as a request's body of at most a megabyte, by what it is; no two attempts alike."""
    texts = {
        **{f"answer: {name}": text for name, text in ANSWERS.items()},
        **{f"document: {name}": text for name, text in DOCUMENTS.items()},
    }
    told: dict[str, Json] = {
        **{name: {"query": f"{text} # {attempt}"} for name, text in texts.items()},
        **{
            f"variables: {name}": {"query": f"{text} # {attempt}", "variables": variables}
            for name, (text, variables) in VARIABLES.items()
        },
        "variables: a batch": {
            "query": BATCH,
            "variables": {"input": batch(1_000, f"worst-{attempt}", 100)},
        },
    }
    return {name: json.dumps(body, separators=(",", ":")).encode() for name, body in told.items()}
