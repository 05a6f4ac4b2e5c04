/**
 * Starts the page: a sign-in where nobody is signed in, else GraphiQL on this same address, with
 * requests by fetch, subscriptions by graphql-transport-ws, example operations in tabs, and the
 * panel "Start here" beside them.
 */
import { startHere } from "./panel.js";
import * as session from "./session.js";
import { SignIn } from "./signin.js";
import { storage } from "./storage.js";

const { React, ReactDOM, GraphiQL } = window;
const element = React.createElement;

/** The page's own files lie below its address. */
async function read(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.text();
}

/** Each example begins with a line `# ── its title`. */
function parseExamples(text) {
  return text
    .split(/^# ── /m)
    .slice(1)
    .map((part) => ({ title: part.split("\n", 1)[0], query: `# ${part.trim()}\n` }));
}

/** Send an operation. The Authorization of the header editor, if there is one, goes first. */
function send(operation, options) {
  const own = new Headers(options?.headers).get("authorization");
  const fetcher = GraphiQL.createFetcher({
    url: location.pathname,
    fetch: session.send,
    wsClient: session.newSocketClient({ own }),
  });
  return fetcher(operation, options);
}

/** "Start here" is open on the first visit; afterwards whichever panel was, or none. */
const VISIBLE_PANEL = "graphiql:visiblePlugin"; // where GraphiQL looks, and doesn't write

function rememberPanel(panel) {
  storage.setItem(VISIBLE_PANEL, panel?.title ?? "");
}

/** Whoever leaves takes along what was written here, too. */
function leave() {
  storage.clear();
  session.signOut();
}

function logo() {
  const picture = new URL("favicon.svg", import.meta.url).href;
  const pennies = element("img", { src: picture, alt: "" });
  return element(
    GraphiQL.Logo,
    null,
    element("span", { className: "tuppence-logo" }, pennies, "Tuppence"),
  );
}

function footer() {
  return element(
    GraphiQL.Footer,
    null,
    element(
      "div",
      { className: "tuppence-signed-in" },
      `Signed in by ${session.called()}`,
      element("button", { className: "graphiql-button", onClick: leave }, "Sign out"),
    ),
  );
}

function Page({ examples, panel }) {
  const { token, why } = React.useSyncExternalStore(session.watch, session.read);
  if (token === null) return element(SignIn, { why });
  return element(
    GraphiQL,
    {
      fetcher: send,
      storage,
      shouldPersistHeaders: false,
      plugins: [panel],
      onTogglePluginVisibility: rememberPanel,
      defaultTabs: examples.map(({ query }) => ({ query })),
      defaultQuery: "",
      defaultEditorToolsVisibility: false,
    },
    logo(),
    !session.isDeveloper() && footer(),
  );
}

async function start() {
  const [examplesText, liveQuery] = await Promise.all([
    read("examples.graphql"),
    read("live.graphql"),
  ]);
  const examples = parseExamples(examplesText);
  const panel = startHere({ examples, liveQuery });
  if (storage.getItem(VISIBLE_PANEL) === null) rememberPanel(panel);
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    element(Page, { examples, panel }),
  );
}

start().catch((error) => {
  document.getElementById("graphiql").textContent = `GraphiQL could not start: ${error.message}`;
});
