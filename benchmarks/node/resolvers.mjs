// What the three services resolve alike: a wallet, its pages, and a credit with one commit each.

import { readFileSync } from "node:fs";
import {
  scalars, shapeCredit, shapeEvent, shapePage, shapeRefusal, shapeWallet,
} from "./shapes.mjs";

const PAGE = 20;

export const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");

// A commit for each credit, there and then.
export function crediting(store, onCredited) {
  return (input) => {
    try {
      const outcome = store.credit(input);
      if (!outcome.replayed) onCredited?.(outcome);
      return shapeCredit(outcome);
    } catch (error) {
      return shapeRefusal(error);
    }
  };
}

// A commit for all credits that came in one turn of the loop.
export function creditingTogether(store) {
  let waiting = [];
  const commit = () => {
    const batch = waiting;
    waiting = [];
    try {
      const outcomes = store.creditAll(batch.map(({ input }) => input));
      outcomes.forEach((outcome, at) => batch[at].resolve(outcome));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return async (input) => {
    const outcome = await new Promise((resolve, reject) => {
      if (waiting.push({ input, resolve, reject }) === 1) setImmediate(commit);
    });
    return outcome instanceof Error ? shapeRefusal(outcome) : shapeCredit(outcome);
  };
}

export function resolversFor(store, credit) {
  return {
    ...scalars,
    Query: {
      wallet: (_, { ref }) => {
        const row = store.findWallet(ref);
        return row ? shapeWallet(row) : null;
      },
    },
    Mutation: { creditPoints: (_, { input }) => credit(input) },
    Wallet: {
      transactions: ({ id }, { first, after }) => {
        const count = first ?? PAGE;
        return shapePage(store.readPage(id, count + 1, after && Number(after)), count, after);
      },
    },
  };
}

// Events to whoever listens: each has a queue of its own, and is woken by what it asked for.
export class Topic {
  #listeners = new Set();

  publish(outcome) {
    if (this.#listeners.size === 0) return;
    const event = shapeEvent(outcome);
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(filter) {
    const queue = [];
    let wake = null;
    let done = false;
    const listener = (event) => {
      if (filter?.identity != null && filter.identity !== event.identity) return;
      if (filter?.walletId != null && filter.walletId !== event.walletId) return;
      const value = { value: { pointsCredited: event }, done: false };
      if (wake) {
        wake(value);
        wake = null;
      } else queue.push(value);
    };
    this.#listeners.add(listener);
    const end = { value: undefined, done: true };
    return {
      next: () => {
        if (queue.length) return Promise.resolve(queue.shift());
        return done ? Promise.resolve(end) : new Promise((resolve) => (wake = resolve));
      },
      return: () => {
        done = true;
        this.#listeners.delete(listener);
        wake?.(end);
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
