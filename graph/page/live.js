/** The newest credits that whoever is signed in may see, by a subscription of their own. */
import { newSocketClient } from "./session.js";

const { React } = window;
const element = React.createElement;

const SHOWN_MAX = 20;
const WAIT_MS_MIN = 1_000;
const WAIT_MS_MAX = 10_000;
const LOST = "The connection is lost; trying again…";
const PASSING = ["BAD_CURSOR", "INTERNAL", "OVERLOADED", "RATE_LIMITED", "UNAVAILABLE"];

export function Live({ query }) {
  const [events, setEvents] = React.useState([]);
  const [status, setStatus] = React.useState("Connecting…");
  React.useEffect(() => {
    const show = (event) => setEvents((shown) => [event, ...shown].slice(0, SHOWN_MAX));
    return follow({ query, show, setStatus });
  }, [query]);
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

/**
 * Follow the events until the returned function is called. A connection that is lost is taken up
 * again, ever more slowly; what the service refuses for good is told, and not asked for again.
 */
function follow({ query, show, setStatus }) {
  let after = null;
  let wait = WAIT_MS_MIN;
  let connectedAt = 0;
  let timer = null;
  let stop = () => {};
  const connected = () => {
    connectedAt = performance.now();
    setStatus("Connected. A credit appears here when it happens.");
  };
  const client = newSocketClient({ retryAttempts: 0, on: { connected } });

  const again = (why) => {
    // A connection that has lasted was a good one: the next is tried at once.
    if (performance.now() - connectedAt > WAIT_MS_MAX) wait = WAIT_MS_MIN;
    setStatus(why);
    timer = setTimeout(listen, wait);
    wait = Math.min(2 * wait, WAIT_MS_MAX);
  };
  const sink = {
    next({ data, errors }) {
      if (errors) return setStatus(errors[0].message);
      after = data.pointsCredited.cursor;
      return show(data.pointsCredited);
    },
    error(problem) {
      if (!Array.isArray(problem)) return again(problem.reason || LOST);
      const [{ message, extensions }] = problem;
      if (extensions?.code === "BAD_CURSOR") after = null; // of a log that is no more
      return PASSING.includes(extensions?.code) ? again(message) : setStatus(message);
    },
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
