-- What a careful user of PostGraphile would write: the promises of a credit, in one function.
--
-- A key has one effect; the wallet's row is locked; the book, the lot, what the caller said, the
-- event and the balance are one unit of work. `credit_points` gives events dense positions in the
-- order of commits, as Tuppence does: its writers wait for one another at the log's head.
-- `credit_points_loosely` numbers them by a sequence: with gaps, and not in the order of commits.
-- The tables are simpler than Tuppence's: no rights, limits, programs, expiry, audit trail.

CREATE TABLE wallets (
    id text PRIMARY KEY,
    identity text NOT NULL UNIQUE,
    active bigint NOT NULL DEFAULT 0 CHECK (active >= 0),
    credited bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    written_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transactions (
    id text PRIMARY KEY,
    wallet_id text NOT NULL REFERENCES wallets,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    active_change bigint NOT NULL,
    active_after bigint NOT NULL CHECK (active_after >= 0),
    source text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (wallet_id, sequence)
);
CREATE INDEX ON transactions (wallet_id, created_at);

CREATE TABLE idempotency_keys (
    key text PRIMARY KEY,
    fingerprint text NOT NULL,
    transaction_id text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE lots (
    id text PRIMARY KEY,
    wallet_id text NOT NULL REFERENCES wallets,
    transaction_id text NOT NULL,
    issued bigint NOT NULL,
    remaining bigint NOT NULL CHECK (remaining BETWEEN 0 AND issued),
    issued_at timestamptz NOT NULL
);
CREATE INDEX ON lots (transaction_id);
CREATE INDEX ON lots (wallet_id, issued_at) WHERE remaining > 0;

CREATE TABLE details (
    transaction_id text PRIMARY KEY,
    description text,
    order_told jsonb,
    metadata jsonb
);

CREATE TABLE events (
    position bigint PRIMARY KEY,
    id text NOT NULL UNIQUE,
    name text NOT NULL,
    wallet_id text NOT NULL,
    transaction_id text NOT NULL UNIQUE,
    points bigint NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ON events (wallet_id, position);
CREATE SEQUENCE loose_positions START 1000000000000;

CREATE TABLE log_head (id integer PRIMARY KEY, position bigint NOT NULL);
INSERT INTO log_head VALUES (1, 0);

INSERT INTO wallets (id, identity)
SELECT gen_random_uuid(), 'member-' || lpad(number::text, 5, '0')
FROM generate_series(0, 99) AS number;

CREATE FUNCTION write_credit(
    identity text, points bigint, idempotency_key text, description text,
    order_told jsonb, metadata jsonb, in_order boolean
) RETURNS transactions LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    new_id text := gen_random_uuid();
    printed text := encode(sha256(convert_to(
        concat_ws(chr(31), $1, $2, $4, $5, $6), 'UTF8')), 'hex');
    known idempotency_keys;
    wallet wallets;
    made transactions;
    place bigint;
BEGIN
    INSERT INTO idempotency_keys VALUES ($3, printed, new_id, now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO known FROM idempotency_keys WHERE key = $3;
        IF known.fingerprint <> printed THEN
            RAISE EXCEPTION 'this key was used before, with other input';
        END IF;
        SELECT * INTO made FROM transactions WHERE id = known.transaction_id;
        RETURN made;
    END IF;
    SELECT * INTO wallet FROM wallets AS owned WHERE owned.identity = $1 FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such wallet';
    END IF;
    INSERT INTO transactions VALUES (
        new_id, wallet.id, wallet.sequence + 1, 'CREDIT', $2, $2, wallet.active + $2, 'API', now()
    ) RETURNING * INTO made;
    INSERT INTO lots VALUES (gen_random_uuid(), wallet.id, new_id, $2, $2, now());
    INSERT INTO details VALUES (new_id, $4, $5, $6);
    UPDATE wallets SET active = active + $2, credited = credited + $2, sequence = sequence + 1,
        written_at = now() WHERE id = wallet.id;
    IF in_order THEN
        UPDATE log_head SET position = position + 1 WHERE id = 1 RETURNING position INTO place;
    ELSE
        place := nextval('loose_positions');
    END IF;
    INSERT INTO events VALUES (
        place, gen_random_uuid(), 'POINTS_CREDITED', wallet.id, new_id, $2, now()
    );
    RETURN made;
END $$;
COMMENT ON FUNCTION write_credit IS '@omit';

CREATE FUNCTION credit_points(
    identity text, points bigint, idempotency_key text, description text,
    order_told jsonb, metadata jsonb
) RETURNS transactions LANGUAGE sql AS $$ SELECT write_credit($1, $2, $3, $4, $5, $6, true) $$;

CREATE FUNCTION credit_points_loosely(
    identity text, points bigint, idempotency_key text, description text,
    order_told jsonb, metadata jsonb
) RETURNS transactions LANGUAGE sql AS $$ SELECT write_credit($1, $2, $3, $4, $5, $6, false) $$;
