/**
 * Starts GraphiQL on the address this page came from: requests by fetch, subscriptions by
 * graphql-transport-ws, example operations in tabs, and the panel "Start here" beside them.
 */
import { startHere } from "./panel.js";

const { React, ReactDOM, GraphiQL, graphqlWs } = window;
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

function socketAddress() {
  const address = new URL(location.pathname, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

/** "Start here" is open on the first visit; afterwards whichever panel was, or none. */
const VISIBLE_PANEL = "graphiql:visiblePlugin"; // where GraphiQL looks, and doesn't write

function rememberPanel(panel) {
  localStorage.setItem(VISIBLE_PANEL, panel?.title ?? "");
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

async function start() {
  const [examplesText, liveQuery] = await Promise.all([
    read("examples.graphql"),
    read("live.graphql"),
  ]);
  const examples = parseExamples(examplesText);
  const url = socketAddress();
  const panel = startHere({ examples, liveQuery, url });
  if (localStorage.getItem(VISIBLE_PANEL) === null) rememberPanel(panel);
  const fetcher = GraphiQL.createFetcher({
    url: location.pathname,
    wsClient: graphqlWs.createClient({ url }),
  });
  const graphiql = element(
    GraphiQL,
    {
      fetcher,
      plugins: [panel],
      onTogglePluginVisibility: rememberPanel,
      defaultTabs: examples.map(({ query }) => ({ query })),
      defaultQuery: "",
      defaultEditorToolsVisibility: false,
    },
    logo(),
  );
  ReactDOM.createRoot(document.getElementById("graphiql")).render(graphiql);
}

start().catch((error) => {
  document.getElementById("graphiql").textContent = `GraphiQL could not start: ${error.message}`;
});
