-- What a credit writes, in essence as Tuppence's own tables have it, with fewer columns and indexes:
-- no rights, audit trail, expiry or history by instant. Points are in thousandths. The bare database
-- that is measured has these too.

CREATE TABLE IF NOT EXISTS programs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE IF NOT EXISTS members (
  id TEXT PRIMARY KEY,
  identity TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS wallets (
  id TEXT PRIMARY KEY,
  program_id TEXT NOT NULL REFERENCES programs,
  member_id TEXT NOT NULL REFERENCES members,
  frozen INTEGER NOT NULL DEFAULT 0,
  sequence INTEGER NOT NULL DEFAULT 0,
  active INTEGER NOT NULL DEFAULT 0,
  promised INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0,
  credited INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  UNIQUE (member_id, program_id),
  CHECK (active >= 0 AND promised >= 0 AND held >= 0)
) STRICT;

CREATE TABLE IF NOT EXISTS transactions (
  id TEXT PRIMARY KEY,
  wallet_id TEXT NOT NULL REFERENCES wallets,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  points INTEGER NOT NULL CHECK (points > 0),
  active_change INTEGER NOT NULL,
  promised_change INTEGER NOT NULL DEFAULT 0,
  held_change INTEGER NOT NULL DEFAULT 0,
  active_after INTEGER NOT NULL,
  promised_after INTEGER NOT NULL,
  held_after INTEGER NOT NULL,
  source TEXT,
  campaign_id TEXT,
  active_at TEXT,
  expires_at TEXT,
  related_id TEXT,
  hold_id TEXT,
  effective_at TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (wallet_id, sequence)
) STRICT;

CREATE TABLE IF NOT EXISTS details (
  transaction_id TEXT PRIMARY KEY,
  description TEXT,
  coupon_code TEXT,
  order_id TEXT,
  sale_amount REAL,
  sale_channel TEXT,
  location_id TEXT,
  metadata TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS lots (
  id TEXT PRIMARY KEY,
  wallet_id TEXT NOT NULL REFERENCES wallets,
  transaction_id TEXT NOT NULL,
  issued INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,
  active_at TEXT NOT NULL,
  expires_at TEXT,
  CHECK (0 <= held AND held <= remaining AND remaining <= issued)
) STRICT;
CREATE INDEX IF NOT EXISTS lots_by_wallet ON lots (wallet_id, expires_at) WHERE remaining > 0;
CREATE INDEX IF NOT EXISTS lots_by_transaction ON lots (transaction_id);

CREATE TABLE IF NOT EXISTS idempotency_keys (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- One writer, and no row is ever deleted: SQLite's own numbers are dense, in the order of commits.
CREATE TABLE IF NOT EXISTS events (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  wallet_id TEXT NOT NULL,
  program_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL UNIQUE,
  points INTEGER NOT NULL,
  at TEXT NOT NULL
) STRICT;

INSERT OR IGNORE INTO programs (id, name) VALUES ('prg_default', 'Points');
