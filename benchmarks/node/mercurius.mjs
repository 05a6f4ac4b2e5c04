// Mercurius with its compiler: `node mercurius.mjs PORT DATABASE [grouped]`.

import Fastify from "fastify";
import mercurius from "mercurius";
import { crediting, creditingTogether, resolversFor, typeDefs } from "./resolvers.mjs";
import { openStore } from "./store.mjs";

const [port, path, how] = process.argv.slice(2);
const store = openStore(path);
const credit = how === "grouped" ? creditingTogether(store) : crediting(store);
const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: resolversFor(store, credit),
  jit: 1,
});
await app.listen({ host: "127.0.0.1", port: Number(port) });

process.on("SIGTERM", async () => {
  await app.close();
  store.close();
  process.exit(0);
});
