// The ledger of the Node services, on better-sqlite3: prepared statements, and nothing between.

import { hash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import Database from "better-sqlite3";

const TABLES = new URL("tables.sql", import.meta.url);
const DEFAULT_PROGRAM = "Points";
const WALLET = `
  SELECT w.id, w.frozen, w.sequence, w.active, w.promised, w.held, w.created_at,
    p.id AS program_id, p.name AS program, m.id AS member_id, m.identity
  FROM wallets w JOIN programs p ON p.id = w.program_id JOIN members m ON m.id = w.member_id`;
const TRANSACTION = `
  SELECT t.id, t.sequence, t.kind, t.points, t.active_change, t.promised_change, t.held_change,
    t.active_after, t.promised_after, t.held_after, t.source, t.campaign_id, t.active_at,
    t.expires_at, t.related_id, t.hold_id, t.effective_at, t.created_at,
    d.description, d.coupon_code, d.order_id, d.sale_amount, d.sale_channel, d.location_id,
    d.metadata
  FROM transactions t LEFT JOIN details d ON d.transaction_id = t.id`;

// A UUIDv7, so that new rows lie beside each other.
function newId(prefix) {
  const at = Date.now().toString(16).padStart(12, "0");
  return `${prefix}_${at}7${randomUUID().replaceAll("-", "").slice(13)}`;
}

export class Refusal extends Error {
  constructor(reason, message, ...path) {
    super(message);
    this.reason = reason;
    this.path = ["input", ...path];
  }
}

export function openStore(path) {
  const database = new Database(path);
  for (const pragma of [
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "cache_size = -65536",
    "mmap_size = 268435456",
  ]) {
    database.pragma(pragma);
  }
  database.exec(readFileSync(TABLES, "utf8"));
  const statements = prepare(database);
  const credit = (input) => writeCredit(statements, input);
  return {
    // One unit of work of its own.
    credit: database.transaction(credit).immediate,
    // One unit of work for all; who is refused is told so, and the others' rows stand.
    creditAll: database.transaction((inputs) =>
      inputs.map((input) => {
        try {
          return credit(input);
        } catch (error) {
          if (error instanceof Refusal) return error;
          throw error;
        }
      }),
    ).immediate,
    findWallet: (ref) => findWallet(statements, ref),
    readPage: (walletId, count, before) =>
      statements.newest.all(walletId, before ?? Number.MAX_SAFE_INTEGER, count),
    close: () => database.close(),
  };
}

function prepare(database) {
  const insert = (table, columns) => {
    const marks = columns.split(", ").map(() => "?");
    return database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${marks.join(", ")})`);
  };
  return {
    walletById: database.prepare(`${WALLET} WHERE w.id = ?`),
    walletByOwner: database.prepare(`${WALLET} WHERE m.identity = ? AND p.name = ?`),
    program: database.prepare("SELECT id FROM programs WHERE name = ?"),
    member: database.prepare("SELECT id FROM members WHERE identity = ?"),
    addMember: insert("members", "id, identity, created_at"),
    addWallet: insert("wallets", "id, program_id, member_id, created_at"),
    claimKey: database.prepare(
      `INSERT INTO idempotency_keys (key, fingerprint, transaction_id, created_at)
       VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    usedKey: database.prepare(
      "SELECT fingerprint, transaction_id FROM idempotency_keys WHERE key = ?",
    ),
    transaction: database.prepare(`${TRANSACTION} WHERE t.id = ?`),
    walletOf: database.prepare("SELECT wallet_id FROM transactions WHERE id = ?").pluck(),
    update: database.prepare(
      "UPDATE wallets SET sequence = ?, active = ?, credited = credited + ? WHERE id = ?",
    ),
    addTransaction: insert(
      "transactions",
      "id, wallet_id, sequence, kind, points, active_change, active_after, promised_after, " +
        "held_after, source, active_at, effective_at, created_at",
    ),
    addDetails: insert(
      "details",
      "transaction_id, description, coupon_code, order_id, sale_amount, sale_channel, " +
        "location_id, metadata",
    ),
    addLot: insert("lots", "id, wallet_id, transaction_id, issued, remaining, active_at"),
    addEvent: insert("events", "id, name, wallet_id, program_id, transaction_id, points, at"),
    newest: database.prepare(
      `${TRANSACTION} WHERE t.wallet_id = ? AND t.sequence < ? ORDER BY t.sequence DESC LIMIT ?`,
    ),
  };
}

function findWallet(statements, { id, owner }) {
  return id == null
    ? statements.walletByOwner.get(owner.identity, owner.program ?? DEFAULT_PROGRAM)
    : statements.walletById.get(id);
}

function openWallet(statements, owner, now) {
  const program = statements.program.get(owner.program ?? DEFAULT_PROGRAM);
  if (!program) {
    const path = ["wallet", "owner", "program"];
    throw new Refusal("ProgramNotFound", "There is no such program.", ...path);
  }
  let member = statements.member.get(owner.identity);
  if (!member) {
    member = { id: newId("mem") };
    statements.addMember.run(member.id, owner.identity, now);
  }
  statements.addWallet.run(newId("wal"), program.id, member.id, now);
  return findWallet(statements, { owner });
}

function walletToCredit(statements, ref, now) {
  let wallet = findWallet(statements, ref);
  if (!wallet) {
    if (ref.owner == null) throw new Refusal("WalletNotFound", "There is no such wallet.", "wallet");
    wallet = openWallet(statements, ref.owner, now);
  }
  if (wallet.frozen) throw new Refusal("WalletFrozen", "The wallet is frozen.", "wallet");
  return wallet;
}

function fingerprintOf({ idempotencyKey: _, ...input }) {
  return hash("sha256", JSON.stringify(input));
}

function replay(statements, key, fingerprint) {
  const used = statements.usedKey.get(key);
  if (used.fingerprint !== fingerprint) {
    throw new Refusal("IdempotencyConflict", "The key was used before.", "idempotencyKey");
  }
  const transaction = statements.transaction.get(used.transaction_id);
  const wallet = statements.walletById.get(statements.walletOf.get(used.transaction_id));
  return { transaction, wallet, replayed: true };
}

// Give a wallet points, once for each key: key, wallet, balance, ledger, details, lot, event.
// What is refused before the first row leaves none behind.
function writeCredit(statements, input) {
  const now = new Date().toISOString();
  const { idempotencyKey: key, points, source = "API" } = input;
  const used = statements.usedKey.get(key);
  const fingerprint = fingerprintOf(input);
  if (used) return replay(statements, key, fingerprint);
  if (points <= 0) throw new Refusal("InvalidInput", "Points must be more than zero.", "points");
  const wallet = walletToCredit(statements, input.wallet, now);
  const id = newId("txn");
  statements.claimKey.run(key, fingerprint, id, now);
  wallet.sequence += 1;
  wallet.active += points;
  statements.update.run(wallet.sequence, wallet.active, points, wallet.id);
  statements.addTransaction.run(
    id, wallet.id, wallet.sequence, "CREDIT", points, points,
    wallet.active, wallet.promised, wallet.held, source, now, now, now,
  );
  const order = input.order ?? {};
  const metadata = input.metadata == null ? null : JSON.stringify(input.metadata);
  const details = {
    description: input.description ?? null,
    coupon_code: input.couponCode ?? null,
    order_id: order.id ?? null,
    sale_amount: order.saleAmount ?? null,
    sale_channel: order.saleChannel ?? null,
    location_id: order.locationId ?? null,
    metadata,
  };
  statements.addDetails.run(id, ...Object.values(details));
  statements.addLot.run(newId("lot"), wallet.id, id, points, points, now);
  const eventId = newId("evt");
  const { lastInsertRowid: position } = statements.addEvent.run(
    eventId, "CT Points Credited", wallet.id, wallet.program_id, id, points, now,
  );
  const transaction = {
    id, sequence: wallet.sequence, kind: "CREDIT", points,
    active_change: points, promised_change: 0, held_change: 0,
    active_after: wallet.active, promised_after: wallet.promised, held_after: wallet.held,
    source, campaign_id: null, active_at: now, expires_at: null, related_id: null, hold_id: null,
    effective_at: now, created_at: now, ...details,
  };
  return { transaction, wallet, replayed: false, event: { id: eventId, position } };
}
