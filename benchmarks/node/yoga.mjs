// graphql-yoga over HTTP, graphql-ws and ws over sockets: `node yoga.mjs PORT DATABASE`.

import { createServer } from "node:http";
import { useServer } from "graphql-ws/use/ws";
import { createSchema, createYoga } from "graphql-yoga";
import { WebSocketServer } from "ws";
import { Topic, crediting, resolversFor, typeDefs } from "./resolvers.mjs";
import { openStore } from "./store.mjs";

const [port, path] = process.argv.slice(2);
const store = openStore(path);
const topic = new Topic();
const schema = createSchema({
  typeDefs,
  resolvers: {
    ...resolversFor(
      store,
      crediting(store, (outcome) => topic.publish(outcome)),
    ),
    Subscription: {
      pointsCredited: { subscribe: (_, { filter }) => topic.subscribe(filter) },
    },
  },
});
const yoga = createYoga({ schema, logging: false, graphiql: false, landingPage: false });
const server = createServer(yoga);
const sockets = new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false });
useServer({ schema }, sockets);
server.listen(Number(port), "127.0.0.1");

process.on("SIGTERM", () => {
  for (const socket of sockets.clients) socket.terminate();
  server.closeAllConnections();
  server.close(() => {
    store.close();
    process.exit(0);
  });
});
