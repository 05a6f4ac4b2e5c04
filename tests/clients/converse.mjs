// Talks to the service with npm's graphql-ws, as an application would; prints what came of it.

import { createClient } from "graphql-ws";
import WebSocket from "ws";

const { URL: url, TOKEN: token } = process.env;
const EVENTS = "subscription { pointsCredited { points identity } }";
const CREDIT = `mutation ($input: CreditPointsInput!) {
  creditPoints(input: $input) { errors { __typename } }
}`;

/** A client that shows this, and tells `closed` how its connections are closed. */
function open(connectionParams, closed, options = {}) {
  const on = { closed: ({ code, reason }) => closed([code, String(reason)]) };
  const usual = { url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0, on };
  return createClient({ ...usual, ...options });
}

/** Every result of an operation, or how it failed. */
async function all(client, payload) {
  const results = [];
  try {
    for await (const result of client.iterate(payload)) results.push(result);
  } catch (error) {
    return { failed: Array.isArray(error) ? error : [error.code, error.reason] };
  }
  return { results };
}

function credit(identity, points) {
  const input = { wallet: { owner: { identity } }, points, idempotencyKey: crypto.randomUUID() };
  return { query: CREDIT, variables: { input } };
}

/** Two events of a subscription, which is then left; both were credited over the same socket. */
async function follow(client) {
  const events = client.iterate({ query: EVENTS });
  const first = events.next();
  // Of a subscription nothing says that it has begun: credit until it gives an event.
  let known = false;
  first.then(() => { known = true; });
  while (!known) await all(client, credit("ann", 5));
  const heard = [(await first).value.data.pointsCredited];
  await all(client, credit("bob", 7));
  for await (const { data } of events) {
    if (data.pointsCredited.identity !== "bob") continue;
    heard.push(data.pointsCredited);
    break;
  }
  return heard;
}

const said = {};
const closes = [];
const bearer = (shown) => ({ authorization: `Bearer ${shown}` });

// One socket for all that is asked.
let hangUp;
const hungUp = new Promise((resolve) => { hangUp = resolve; });
const good = open(bearer(token), (close) => hangUp(close), { lazy: false, keepAlive: 20 });
said.events = await follow(good);
said.query = await all(good, { query: "{ __typename }" });
said.syntax = await all(good, { query: "{ nonsense" });
said.after = await all(good, { query: "{ __typename }" });
await good.dispose();
closes.push(await hungUp);

const note = (close) => closes.push(close);
said.wrong = await all(open(bearer("tpk_unknown_key-of-nobody-here"), note), { query: "{ a }" });
said.nobody = await all(open(undefined, note), { query: "{ a }" });

// What is shown is refused, and what is shown at the next attempt isn't.
const shown = ["worse", token];
const again = { retryAttempts: 1, retryWait: async () => {}, shouldRetry: () => true };
said.better = await all(open(() => bearer(shown.shift()), note, again), { query: "{ __typename }" });

console.log(JSON.stringify({ ...said, closes: closes.slice(0, 4) }));
