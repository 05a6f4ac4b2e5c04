"""Sockets, as npm's graphql-ws uses them: the client that most applications have."""

from tests.harness.keys import ADMIN
from tests.harness.node import run_client
from tests.harness.servers import Service

TYPENAME = {"results": [{"data": {"__typename": "Query"}}]}
UNKNOWN = "this key or token lets nobody in: it is unknown, expired or revoked"
SHOW = "show a key or a token: Authorization: Bearer …"


async def test_the_usual_client_converses_with_the_service(service: Service) -> None:
    await service.client.create_program("main")

    said = await run_client("converse.mjs", URL=service.client.ws_url, TOKEN=ADMIN)

    assert said["events"] == [
        {"points": 5, "identity": "ann"},
        {"points": 7, "identity": "bob"},
    ]
    assert said["query"] == said["after"] == TYPENAME
    assert said["syntax"]["failed"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert said["wrong"] == {"failed": [4403, UNKNOWN]}
    assert said["nobody"] == {"failed": [4403, SHOW]}
    assert said["better"] == TYPENAME
    assert said["closes"] == [
        [1000, "Normal Closure"],
        [4403, UNKNOWN],
        [4403, SHOW],
        [4403, UNKNOWN],
    ]
    await service.following(0)
