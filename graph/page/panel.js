/** The panel "Start here": a welcome, the examples, and the credits as they happen. */
const { React, GraphiQL, graphqlWs } = window;
const element = React.createElement;

const SHOWN_MAX = 20;
const RETRY_MS = 1000;

export function startHere({ examples, liveQuery, url }) {
  const content = () =>
    element(
      "section",
      { className: "tuppence-panel", "aria-label": "Start here" },
      element("div", { className: "graphiql-doc-explorer-title" }, "Start here"),
      element(
        "p",
        null,
        "This is a ledger of loyalty points: credit a wallet, query it, and watch it. " +
          "Each tab is an example; press play to run it.",
      ),
      element(Examples, { examples }),
      element(Live, { query: liveQuery, url }),
    );
  return { title: "Start here", icon: Pennies, content };
}

function Pennies() {
  return element(
    "svg",
    { className: "tuppence-icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor" },
    element("circle", { cx: 15, cy: 9, r: 7, strokeWidth: 1.5 }),
    element("circle", { cx: 8.5, cy: 15, r: 7, strokeWidth: 1.5, fill: "currentColor" }),
  );
}

/** A click shows the example's tab, or opens it anew if it was closed or changed. */
function Examples({ examples }) {
  const { tabs, addTab, changeTab, queryEditor } = GraphiQL.React.useEditorContext();
  const open = (query) => {
    const index = tabs.findIndex((tab) => tab.query?.trim() === query.trim());
    if (index >= 0) return changeTab(index);
    addTab();
    // The new tab takes its text once GraphiQL has switched to it.
    return setTimeout(() => queryEditor.setValue(query));
  };
  const item = ({ title, query }) =>
    element("li", { key: title }, element("button", { onClick: () => open(query) }, title));
  return element("nav", { "aria-label": "Examples" }, element("ol", null, examples.map(item)));
}

/** The newest credits of the whole installation, by a subscription of the panel's own. */
function Live({ query, url }) {
  const [events, setEvents] = React.useState([]);
  const [status, setStatus] = React.useState("Connecting…");
  React.useEffect(() => {
    const show = (event) => setEvents((shown) => [event, ...shown].slice(0, SHOWN_MAX));
    return follow({ query, url, show, setStatus });
  }, [query, url]);
  return element(
    "div",
    { className: "tuppence-live" },
    element("h2", null, "Live: points credited"),
    element("p", { className: "tuppence-status", role: "status" }, status),
    element("ul", { "aria-live": "polite" }, events.map(liveItem)),
  );
}

function liveItem({ id, points, identity, pointsDescription, eventTimestamp }) {
  return element(
    "li",
    { key: id },
    element("b", null, `+${points}`),
    element("span", null, identity),
    pointsDescription && element("i", null, pointsDescription),
    element("small", null, new Date(eventTimestamp).toLocaleTimeString()),
  );
}

/** Follow the events until the returned function is called; a lost connection is taken up again. */
function follow({ query, url, show, setStatus }) {
  const on = { connected: () => setStatus("Connected. A credit appears here when it happens.") };
  const client = graphqlWs.createClient({ url, retryAttempts: 0, on });
  let after = null;
  let stop = () => {};
  let timer = null;
  const next = ({ data, errors }) => {
    if (errors) return setStatus(errors[0].message);
    after = data.pointsCredited.cursor;
    return show(data.pointsCredited);
  };
  const again = (why) => {
    setStatus(why);
    timer = setTimeout(listen, RETRY_MS);
  };
  const sink = {
    next,
    error: (error) => again(error[0]?.message ?? "The connection is lost; trying again…"),
    complete: () => again("The stream has ended; trying again…"),
  };
  function listen() {
    stop = client.subscribe({ query, variables: { after } }, sink);
  }
  listen();
  return () => {
    sink.complete = sink.error = () => {};
    clearTimeout(timer);
    stop();
  };
}
