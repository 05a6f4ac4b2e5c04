/**
 * Who is signed in, and all that is sent in their name.
 *
 * On a developer's own machine the page carries a token; elsewhere the visitor shows an API key or a
 * member's token. It is kept in sessionStorage: it outlives a reload and not the tab, and no other
 * tab has it. There is no cookie, so nothing is ever sent that this page didn't mean to send.
 */
const { graphqlWs } = window;

const KEPT = "tuppence:token";
const REFUSED = 4403;
const UNKNOWN = "This lets nobody in: it is unknown, expired or revoked.";
const AWAY = "The service can’t be reached.";
const ENDED = "You were signed out: your key or token was revoked, or has expired.";

const carried = (page) => page.querySelector('meta[name="tuppence-token"]')?.content ?? null;

let developer = carried(document);
let state = { token: developer ?? sessionStorage.getItem(KEPT), why: "" };
const listeners = new Set();

function become(next) {
  state = next;
  for (const listener of listeners) listener();
}

/** The session as it is, and who wants to hear when it changes: as React's external store. */
export const read = () => state;

export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const isDeveloper = () => state.token !== null && state.token === developer;

/** What the token may be called on the screen: a key's id is no secret. */
export function called() {
  const [prefix, id] = state.token.split("_");
  return prefix === "tpk" ? `key_${id}` : "a member’s token";
}

/** Sign in by what the visitor shows, once the service has taken it. Throws what to tell them. */
export async function signIn(text) {
  const token = text.trim().replace(/^bearer\s+/i, "");
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(UNKNOWN); // a header can't hold it
  const response = await show(token);
  if (response.status === 401) throw new Error(UNKNOWN);
  if (!response.ok) throw new Error(await reasonOf(response));
  sessionStorage.setItem(KEPT, token);
  become({ token, why: "" });
}

/** Ask for nothing, to see whether a token lets anyone in. */
async function show(token) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ query: "{ __typename }" });
  try {
    return await fetch(location.pathname, { method: "POST", headers, body });
  } catch {
    throw new Error(AWAY);
  }
}

async function reasonOf(response) {
  const { errors } = await response.json().catch(() => ({}));
  return errors?.[0]?.message ?? `The service answered ${response.status}.`;
}

/** Forget the session. The page begins anew, so that nothing of it is left in memory either. */
export function signOut() {
  sessionStorage.removeItem(KEPT);
  location.reload();
}

/** A socket was refused: for what was shown, or for another reason, like too many sockets. */
async function check(token) {
  const { status } = await show(token);
  if (status === 401) await refused(token);
}

/** What was shown is refused: ask for something else, unless that has happened meanwhile. */
async function refused(token) {
  const renewed = isDeveloper() ? await newDeveloperToken() : null;
  if (token !== state.token) return;
  if (renewed !== null && renewed !== token) {
    developer = renewed;
    become({ token: renewed, why: "" });
    return;
  }
  sessionStorage.removeItem(KEPT);
  become({ token: null, why: ENDED });
}

/** A developer's service that was started anew has another token, which its page carries. */
async function newDeveloperToken() {
  const page = await fetch(location.pathname, { headers: { accept: "text/html" } });
  return carried(new DOMParser().parseFromString(await page.text(), "text/html"));
}

/** `fetch` in the session's name, unless the caller's headers speak for themselves. */
export async function send(address, options) {
  const headers = new Headers(options.headers);
  const token = headers.has("authorization") ? null : state.token;
  if (token) headers.set("authorization", `Bearer ${token}`);
  const response = await fetch(address, { ...options, headers });
  if (token && response.status === 401) await refused(token);
  return response;
}

/**
 * A client of the socket, in the session's name unless it has an authorization of its `own`. One
 * that is refused doesn't come again by itself.
 */
export function newSocketClient({ own = null, on = {}, ...options } = {}) {
  let token = null;
  const connectionParams = () => {
    token = state.token;
    return { authorization: own ?? `Bearer ${token}` };
  };
  const closed = ({ code }) => {
    if (code === REFUSED && !own) check(token).catch(() => {}); // away: it is tried again
  };
  return graphqlWs.createClient({
    url: location.origin.replace(/^http/, "ws") + location.pathname,
    connectionParams,
    shouldRetry: ({ code }) => code !== REFUSED,
    on: { ...on, closed },
    ...options,
  });
}
