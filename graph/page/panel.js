/** The panel "Start here": a welcome, the examples, and the credits as they happen. */
import { Live } from "./live.js";

const { React, GraphiQL } = window;
const element = React.createElement;

export function startHere({ examples, liveQuery }) {
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
      element(Live, { query: liveQuery }),
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
