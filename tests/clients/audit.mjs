// Runs graphql-http's audits on the service at URL, let in by TOKEN; prints what became of each.
import { serverAudits } from "graphql-http";

const { URL: url, TOKEN: token } = process.env;

const fetchFn = (address, options = {}) =>
  fetch(address, {
    ...options,
    headers: { ...options.headers, authorization: `Bearer ${token}` },
  });

const results = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  results.push({ id, name, status, reason: reason ?? null });
}
console.log(JSON.stringify(results));
