"""Documents: the same question is answered alike, in whatever words, whoever asks it."""

import json
import re
from base64 import urlsafe_b64decode
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis_graphql import queries

from tests.fuzz.books import MIA, SECRET, STRANGER
from tests.fuzz.documents import SCHEMA, tame
from tests.fuzz.rewriting import Rewriter, plainly
from tests.fuzz.scalars import scalars
from tests.fuzz.target import ADMINISTRATOR, MEMBER, READER, Target, check_answer, examples
from tests.harness.values import Json

QUESTIONS = {ADMINISTRATOR: 60, READER: 30, MEMBER: 60}
SECRETS = 100

READ = "node nodes member wallet wallets transaction transactions pointsCreditedEvents eventCursor"
FIELDS = {
    ADMINISTRATOR: None,
    READER: [*READ.split(), "program", "programs", "creditedNotRedeemed"],
    MEMBER: READ.split(),
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


def test_a_member_is_told_nothing_of_another(target: Target) -> None:
    mia, stranger = target.books.mia, target.books.stranger
    # The identity is asked for in vain, but a program's id is everyone's.
    secrets = [STRANGER, SECRET, *set(stranger.ids) - set(mia.ids)]

    @examples(SECRETS)
    @given(
        queries(SCHEMA, fields=FIELDS[MEMBER], custom_scalars=scalars((mia + stranger).all)),
        st.randoms(use_true_random=False),
    )
    def asks(text: str, chance: Random) -> None:
        asked = tame(text, mia + stranger, chance)
        answer = target.ask(asked, target.tokens[MEMBER])
        data = json.dumps(check_answer(answer).get("data"), default=str)
        told = data + " ".join(uncovered(data))
        for secret in secrets:
            assert secret not in told.replace(f"{MIA} {SECRET}", ""), (asked, answer.text)

    asks()


def uncovered(text: str) -> list[str]:
    """What stands in the cursors of an answer."""
    found = re.findall(r'ursor": "([A-Za-z0-9_-]+)"', text)
    return [urlsafe_b64decode(each + "==").decode(errors="replace") for each in found]
