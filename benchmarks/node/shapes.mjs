// Rows as the API tells them, and its scalars.

import { GraphQLScalarType } from "graphql";
import { Refusal } from "./store.mjs";

const THOUSANDTHS = 1000;

const plain = (name) => new GraphQLScalarType({ name });

export const scalars = {
  DateTime: plain("DateTime"),
  JSON: plain("JSON"),
  Points: new GraphQLScalarType({
    name: "Points",
    serialize: (thousandths) => thousandths / THOUSANDTHS,
    parseValue: (told) => Math.round(told * THOUSANDTHS),
  }),
};

function shapeOrder(row) {
  const { order_id: id, sale_amount: saleAmount, sale_channel: saleChannel } = row;
  const { location_id: locationId } = row;
  if (id === null && saleAmount === null && saleChannel === null && locationId === null) return null;
  return { id, saleAmount, saleChannel, locationId };
}

function shapeTransaction(row) {
  return {
    id: row.id,
    sequence: row.sequence,
    kind: row.kind,
    points: row.points,
    change: { active: row.active_change, promised: row.promised_change, held: row.held_change },
    balanceAfter: { active: row.active_after, promised: row.promised_after, held: row.held_after },
    source: row.source,
    campaignId: row.campaign_id,
    couponCode: row.coupon_code,
    description: row.description,
    activeAt: row.active_at,
    expiresAt: row.expires_at,
    order: shapeOrder(row),
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    related: row.related_id === null ? null : { id: row.related_id },
    hold: row.hold_id === null ? null : { id: row.hold_id },
    effectiveAt: row.effective_at,
    createdAt: row.created_at,
  };
}

export function shapeWallet(row) {
  return {
    id: row.id,
    status: row.frozen ? "FROZEN" : "ACTIVE",
    balance: { active: row.active, promised: row.promised, held: row.held },
    program: { id: row.program_id, name: row.program },
    member: { id: row.member_id, identity: row.identity },
    createdAt: row.created_at,
  };
}

// A page by keyset: the cursor is the sequence of the last row seen. One row more tells of a next.
export function shapePage(rows, first, after) {
  const more = rows.length > first;
  if (more) rows.length = first;
  const edges = rows.map((row) => ({
    cursor: String(row.sequence),
    node: shapeTransaction(row),
  }));
  return {
    edges,
    pageInfo: {
      hasNextPage: more,
      hasPreviousPage: after != null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

export function shapeCredit({ transaction, wallet, replayed }) {
  return {
    transaction: shapeTransaction(transaction),
    wallet: shapeWallet(wallet),
    replayed,
    errors: [],
  };
}

export function shapeRefusal(error) {
  if (!(error instanceof Refusal)) throw error;
  const { reason, message, path } = error;
  return {
    transaction: null,
    wallet: null,
    replayed: false,
    errors: [{ __typename: reason, message, path }],
  };
}

export function shapeEvent({ transaction, wallet, event }) {
  return {
    id: event.id,
    cursor: String(event.position),
    name: "CT Points Credited",
    ctSource: "API",
    walletId: wallet.id,
    transactionId: transaction.id,
    points: transaction.points,
    source: transaction.source,
    pointsDescription: transaction.description,
    eventTimestamp: transaction.created_at,
    identity: wallet.identity,
    programId: wallet.program_id,
  };
}
