"""GraphQL over HTTP, as its working group's own audits see it."""

from tests.harness.keys import ADMIN
from tests.harness.node import run_client
from tests.harness.servers import Service

AUDITS = 61


async def test_every_audit_of_graphql_http_passes(service: Service) -> None:
    results = await run_client("audit.mjs", URL=service.client.url, TOKEN=ADMIN)

    failed = [f"{r['id']} {r['name']}: {r['reason']}" for r in results if r["status"] != "ok"]
    assert not failed, "\n".join(failed)
    assert len(results) == AUDITS
