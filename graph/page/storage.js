/**
 * What GraphiQL keeps between visits: its tabs, history and panels, in localStorage. Its headers it
 * would keep in the history, and a header may hold a key: they are left out.
 */
const OURS = "graphiql:"; // what GraphiQL begins each name with
const WITH_HEADERS = ["queries", "favorites"].map((name) => OURS + name);

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(OURS));

function withoutHeaders(text) {
  return JSON.stringify(JSON.parse(text), (key, value) => (key === "headers" ? undefined : value));
}

export const storage = {
  get length() {
    return names().length;
  },
  getItem: (name) => localStorage.getItem(name),
  removeItem: (name) => localStorage.removeItem(name),
  setItem: (name, value) =>
    localStorage.setItem(name, WITH_HEADERS.includes(name) ? withoutHeaders(value) : value),
  clear: () => names().forEach((name) => localStorage.removeItem(name)),
};
