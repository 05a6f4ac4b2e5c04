"""Documents: the same question is answered alike, in whatever words, whoever asks it."""

import re
from base64 import urlsafe_b64decode
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis_graphql import queries

from tests.fuzz.books import MIA, SECRET
from tests.fuzz.documents import SCHEMA, tame
from tests.fuzz.rewriting import Rewriter, plainly
from tests.fuzz.scalars import scalars
from tests.fuzz.target import ADMINISTRATOR, MEMBER, READER, Target, check_answer, examples
from tests.harness.values import Json

QUESTIONS = {ADMINISTRATOR: 40, READER: 20, MEMBER: 40}
SECRETS = 20
"""For each field of Query."""
ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")

OWN = [
    *["node", "nodes", "member", "wallet", "wallets", "transaction", "transactions"],
    *["pointsCreditedEvents", "eventCursor"],
]
FIELDS = {
    ADMINISTRATOR: None,
    READER: [*OWN, "program", "programs", "creditedNotRedeemed"],
    MEMBER: OWN,
}
"""What each may ask for: where the answer can't be null, a single refusal is all that is told."""


def outcome(answer: Json) -> tuple[Any, bool]:
    """What is told, and whether anything is refused: one refusal may hide another."""
    return plainly(answer.get("data")), "errors" in answer


@pytest.mark.parametrize("caller", QUESTIONS)
def test_a_question_is_answered_alike_in_other_words(target: Target, caller: str) -> None:
    known, token = target.books.mia + target.books.stranger, target.tokens[caller]

    @examples(QUESTIONS[caller])
    @given(
        queries(SCHEMA, fields=FIELDS[caller], custom_scalars=scalars(known.all)),
        st.randoms(use_true_random=False),
    )
    def asks(text: str, chance: Random) -> None:
        asked = tame(text, known, chance)
        answer = check_answer(target.ask(asked, token))
        assume("data" in answer)
        document, variables = Rewriter(chance).rewrite(asked)
        anew = check_answer(target.ask(document, token, **variables))
        again = check_answer(target.ask(asked, token))
        assume(answer == again)
        assert outcome(anew) == outcome(answer), (anew, document, variables)

    asks()


@pytest.mark.parametrize("field", OWN)
def test_a_member_is_told_nothing_of_another(target: Target, field: str) -> None:
    books, known = target.books, target.books.mia + target.books.stranger

    @examples(SECRETS)
    @given(
        queries(SCHEMA, fields=[field], custom_scalars=scalars(known.all)),
        st.randoms(use_true_random=False),
    )
    def asks(text: str, chance: Random) -> None:
        asked = tame(text, known, chance)
        text = target.ask(asked, target.tokens[MEMBER]).text
        told = text + " ".join(uncovered(text))
        assert {found[0] for found in ID.finditer(told)} <= set(books.mia.ids), (asked, told)
        assert SECRET not in told.replace(f"{MIA} {SECRET}", ""), (asked, told)

    asks()


def uncovered(text: str) -> list[str]:
    """What stands in the cursors of an answer."""
    found = re.findall(r'ursor":"([A-Za-z0-9_-]+)"', text)
    return [urlsafe_b64decode(each + "==").decode(errors="replace") for each in found]
