"""Campaigns over the API: channels, plans, moves, deliveries, previews and inboxes."""

from typing import Any

from tests.harness import documents, values
from tests.harness.client import Client, inputs
from tests.harness.stream import Stream
from tests.harness.values import Answer, Json, Page, wire

CREDITED = "CT Points Credited"
PAGES_MAX = 200

FILTER = "property op value"
CHANNEL = "id name kind settings disabled"
STATS = """
  qualified waiting sent failed heldOut skipped { reason count } converted conversionRate
  controlConversionRate
"""
CAMPAIGN = f"""
  id name status version
  who {{
    event match filters {{ {FILTER} }} absence {{ of within }} profile {{ {FILTER} }} }}
  channel {{ {CHANNEL} }} message {{ subject body html }}
  reward {{ points percentOf percent program {{ id name }} description }}
  when {{ delay quietFrom quietTo quietPolicy startsAt endsAt }}
  limits {{ per minGap maxDeliveries perMinute controlPercent }}
  conversionWithin stats {{ {STATS} }} createdAt
"""
DELIVERY = """
  id campaign { id name } version member { id identity } wallet { id } eventId status reason detail
  dueAt subject body attempts { number startedAt finishedAt status error } createdAt
"""
MESSAGE = "id subject body sentAt readAt"
ERRORS = """errors { __typename ... on UserError { message path }
  ... on TemplateError { line column suggestion } ... on InvalidTransition { from allowed } }"""
PLAIN_ERRORS = "errors { __typename ... on UserError { message path } }"

OF_CAMPAIGN = f"campaign {{ {CAMPAIGN} }} {ERRORS}"
OF_DELIVERY = f"delivery {{ {DELIVERY} }} {PLAIN_ERRORS}"
MUTATIONS = {
    "createChannel": (
        "CreateChannelInput",
        f"channel {{ {CHANNEL} }} secret {PLAIN_ERRORS}",
    ),
    "createCampaign": ("CampaignInput", OF_CAMPAIGN),
    "updateCampaign": ("UpdateCampaignInput", OF_CAMPAIGN),
    "publishCampaign": ("CampaignIdInput", OF_CAMPAIGN),
    "pauseCampaign": ("CampaignIdInput", OF_CAMPAIGN),
    "resumeCampaign": ("CampaignIdInput", OF_CAMPAIGN),
    "stopCampaign": ("StopCampaignInput", OF_CAMPAIGN),
    "cloneCampaign": ("CloneCampaignInput", OF_CAMPAIGN),
    "previewMessage": (
        "PreviewMessageInput",
        """subject body html errors { __typename ... on UserError { message path }
           ... on TemplateError { line column suggestion } }""",
    ),
    "sendTestMessage": ("SendTestMessageInput", OF_DELIVERY),
    "retryDelivery": ("DeliveryIdInput", OF_DELIVERY),
}

CAMPAIGN_BY_ID = f"query Campaign($id: ID!) {{ campaign(id: $id) {{ {CAMPAIGN} }} }}"
CAMPAIGNS = f"""query Campaigns($status: CampaignStatus, $first: Int, $after: String) {{
  campaigns(status: $status, first: $first, after: $after) {{
    {documents.connection(CAMPAIGN)} }} }}"""
CHANNELS = f"query Channels {{ channels {{ {CHANNEL} }} }}"
DELIVERIES = f"""query Deliveries($filter: DeliveryFilter, $first: Int, $after: String) {{
  deliveries(filter: $filter, first: $first, after: $after) {{
    {documents.connection(DELIVERY)} }} }}"""
OF_ONE_CAMPAIGN = f"""query OfCampaign(
  $id: ID!, $filter: DeliveryFilter, $first: Int, $after: String) {{
  campaign(id: $id) {{ deliveries(filter: $filter, first: $first, after: $after) {{
    {documents.connection(DELIVERY)} }} }} }}"""
INBOX = f"""query Inbox($identity: String!, $first: Int, $after: String) {{
  member(identity: $identity) {{ inbox(first: $first, after: $after) {{
    {documents.connection(MESSAGE)} }} }} }}"""
REACH = """query Reach($who: WhoInput!, $since: DateTime!) {
  reach(who: $who, since: $since) { events members wallets } }"""
SCHEMAS = "query Schemas { eventSchemas { name properties { name type values } } }"
UPDATES = f"""subscription Updates($campaignId: ID) {{
  deliveryUpdated(campaignId: $campaignId) {{ {DELIVERY} }} }}"""
MESSAGES = f"""subscription Messages($identity: String!) {{
  inboxMessage(identity: $identity) {{ {MESSAGE} }} }}"""


def as_is(node: Json) -> Json:
    return node


async def ask(client: Client, mutation: str, fields: Json) -> Answer:
    """Ask for a mutation about campaigns, whatever comes of it."""
    kind, payload = MUTATIONS[mutation]
    title = mutation[0].upper() + mutation[1:]
    document = f"mutation {title}($input: {kind}!) {{ {mutation}(input: $input) {{ {payload} }} }}"
    return values.answer((await client.execute(document, input=fields))[mutation])


async def done(client: Client, mutation: str, fields: Json) -> Json:
    """The same, of what must not be refused; gives the campaign, delivery or channel."""
    answer = await ask(client, mutation, fields)
    assert answer.error is None, answer.raw
    [node] = [value for value in answer.raw.values() if isinstance(value, dict)]
    return node


# ── channels and plans ───────────────────────────────────────────────────────────────────────────


async def channel(
    client: Client, kind: str = "INBOX", name: str | None = None, **settings: Any
) -> Json:
    """Open a channel, an inbox unless told otherwise."""
    named = kind.lower() if name is None else name
    return await done(client, "createChannel", {"name": named, "kind": kind, "settings": settings})


def plan(channel_id: str | None = None, **over: Any) -> Json:
    """A CampaignInput: a short message on each credit, or none where there is no channel.

    `over` replaces its fields, by their names in Python.
    """
    known: Json = {"name": "Reminder", "who": {"event": CREDITED}}
    if channel_id is not None:
        known |= {"channelId": channel_id, "message": {"body": "You have new points."}}
    return known | inputs(over)


# ── campaigns ────────────────────────────────────────────────────────────────────────────────────


async def create_campaign(client: Client, channel_id: str | None = None, **over: Any) -> Json:
    """Create a campaign by `plan`; it must not be refused."""
    return await done(client, "createCampaign", plan(channel_id, **over))


async def move(client: Client, mutation: str, campaign_id: str, **more: Any) -> Json:
    """`publishCampaign`, `pauseCampaign` and so on; it must not be refused."""
    return await done(client, mutation, {"id": campaign_id} | inputs(more))


async def publish(client: Client, campaign_id: str) -> Json:
    return await move(client, "publishCampaign", campaign_id)


async def run_campaign(client: Client, channel_id: str | None = None, **over: Any) -> Json:
    """Create a campaign by `plan`, and publish it."""
    created = await create_campaign(client, channel_id, **over)
    return await publish(client, created["id"])


async def find_campaign(client: Client, campaign_id: str) -> Json | None:
    return (await client.execute(CAMPAIGN_BY_ID, id=campaign_id))["campaign"]


async def campaign(client: Client, campaign_id: str) -> Json:
    found = await find_campaign(client, campaign_id)
    assert found is not None, f"no campaign: {campaign_id}"
    return found


async def stats(client: Client, campaign_id: str) -> Json:
    return (await campaign(client, campaign_id))["stats"]


async def campaigns(client: Client, status: str | None = None, **paging: Any) -> Page[Json]:
    data = await client.execute(CAMPAIGNS, status=status, **paging)
    return values.page(data["campaigns"], as_is)


async def channels(client: Client) -> list[Json]:
    return (await client.execute(CHANNELS))["channels"]


# ── deliveries ───────────────────────────────────────────────────────────────────────────────────


async def page_deliveries(client: Client, filter: Json | None = None, **paging: Any) -> Page[Json]:
    data = await client.execute(DELIVERIES, filter=filter, **paging)
    return values.page(data["deliveries"], as_is)


async def deliveries(client: Client, campaign_id: str | None = None, **filter: Any) -> list[Json]:
    """All deliveries, or a campaign's, oldest first; `filter` is a DeliveryFilter's fields."""
    wanted = inputs(filter) | ({} if campaign_id is None else {"campaignId": campaign_id})
    newest_first: list[Json] = []
    cursor = None
    for _ in range(PAGES_MAX):
        page = await page_deliveries(client, wanted, first=100, after=cursor)
        newest_first += page.nodes
        cursor = page.end_cursor
        if not page.has_next_page:
            return newest_first[::-1]
    raise AssertionError(f"more than {PAGES_MAX} pages")


async def send_test(
    client: Client, campaign_id: str, identity: str, event_id: str | None = None
) -> Answer:
    fields = {"campaignId": campaign_id, "identity": identity, "eventId": event_id}
    return await ask(client, "sendTestMessage", fields)


async def retry(client: Client, delivery_id: str) -> Answer:
    return await ask(client, "retryDelivery", {"id": delivery_id})


async def inbox(client: Client, identity: str, **paging: Any) -> Page[Json]:
    data = await client.execute(INBOX, identity=identity, **paging)
    assert data["member"] is not None, f"no member: {identity}"
    return values.page(data["member"]["inbox"], as_is)


# ── trials ───────────────────────────────────────────────────────────────────────────────────────


async def preview(client: Client, body: str, who: Json | None = None, **more: Any) -> Answer:
    """`subject` and `html` are the message's; `event_id` and `sample` what it is shown with."""
    message = {"body": body} | {
        part: more.pop(part) for part in ("subject", "html") if part in more
    }
    fields = {"who": who or {"event": CREDITED}, "message": message}
    return await ask(client, "previewMessage", fields | inputs(more))


async def reach(client: Client, who: Json, since: object) -> Json:
    return (await client.execute(REACH, who=wire(who), since=since))["reach"]


def follow_deliveries(client: Client, campaign_id: str | None = None) -> Stream:
    """`async with` opens a socket; `next_data()["deliveryUpdated"]` is the next change."""
    return Stream(client.ws_url, UPDATES, {"campaignId": campaign_id}, token=client.token)


def follow_inbox(client: Client, identity: str) -> Stream:
    """`async with` opens a socket; `next_data()["inboxMessage"]` is the next message."""
    return Stream(client.ws_url, MESSAGES, {"identity": identity}, token=client.token)
