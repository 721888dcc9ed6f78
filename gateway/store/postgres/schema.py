"""The tables in PostgreSQL, and the steps from one version of them to the next (``meta.schema``).

The same names and meanings as in the SQLite file. What only grows is partitioned by windows of
record numbers, which carry the time (see ``partitions``); what must be unique over all time
(``seen``, ``subject``) and the queue (``head``, ``leg``) are not.

``body`` is partitioned by the kind of the message first, then by window, since rules of retention
are made of kinds: the content of a frequent kind over one window is one table of its own
(``partitions.body_table``), which retention detaches and drops whole; the rare kinds share one, of
which it deletes rows. Whoever reads a body names its kind too, so that one table is looked into.

Times are microseconds since 1970 UTC, texts compare by code point (``COLLATE "C"``), and bytes
that are packed already are stored as they are (``STORAGE EXTERNAL``).
"""

from __future__ import annotations

from gateway.store.postgres import awaited, destinations, pruning
from gateway.store.postgres.connection import Connection
from gateway.store.postgres.errors import JournalMismatch

_FIRST = """
CREATE TABLE process (
  id text COLLATE "C" PRIMARY KEY, presence text NOT NULL, started_at bigint NOT NULL,
  seen timestamptz NOT NULL
);
-- Numbers that are not given back when a transaction fails: only unique and rising.
CREATE SEQUENCE record_block;
CREATE SEQUENCE subject_no;
CREATE SEQUENCE leg_seq;
CREATE SEQUENCE attempt_no;

-- What may be accepted once: interchange ids (kind 0) and control references (kind 1).
CREATE TABLE seen (
  id text COLLATE "C" NOT NULL, party text COLLATE "C" NOT NULL, kind integer NOT NULL,
  digest bytea NOT NULL, record bigint NOT NULL,
  PRIMARY KEY (id, party, kind)
);

CREATE TABLE interchange (
  record bigint PRIMARY KEY, party text COLLATE "C" NOT NULL,
  interchange_id text COLLATE "C" NOT NULL, attempt integer NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('accepted', 'refused')),
  format text COLLATE "C" NOT NULL, transport text NOT NULL, digest bytea NOT NULL,
  size bigint NOT NULL, received_at bigint NOT NULL, accepted integer NOT NULL,
  refused integer NOT NULL, control_reference text, model integer NOT NULL, leaf bytea NOT NULL,
  receipt bytea NOT NULL, outcomes bytea NOT NULL
) PARTITION BY RANGE (record);
ALTER TABLE interchange ALTER receipt SET STORAGE EXTERNAL, ALTER outcomes SET STORAGE EXTERNAL;
-- Accepted ones are found through seen.
CREATE INDEX interchange_refused ON interchange (interchange_id, party) WHERE state = 'refused';

CREATE TABLE raw (
  record bigint NOT NULL, slice integer NOT NULL, content bytea NOT NULL,
  PRIMARY KEY (record, slice)
) PARTITION BY RANGE (record);
ALTER TABLE raw ALTER content SET STORAGE EXTERNAL;

-- subjects: numbers in the message's order.
CREATE TABLE message (
  record bigint NOT NULL, ordinal bigint NOT NULL, kind text COLLATE "C" NOT NULL,
  subject bigint NOT NULL, version integer NOT NULL,
  function text NOT NULL, subjects bigint[] NOT NULL, destinations text[] NOT NULL,
  deadline bigint, regards text, on_behalf_of text, upstream_id text,
  PRIMARY KEY (record, ordinal)
) PARTITION BY RANGE (record);

CREATE TABLE body (
  kind text COLLATE "C" NOT NULL, record bigint NOT NULL, ordinal bigint NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (kind, record, ordinal)
) PARTITION BY LIST (kind);
ALTER TABLE body ALTER content SET STORAGE EXTERNAL;
CREATE TABLE body_order PARTITION OF body FOR VALUES IN ('Order') PARTITION BY RANGE (record);
CREATE TABLE body_item_declaration PARTITION OF body FOR VALUES IN ('ItemDeclaration')
  PARTITION BY RANGE (record);
CREATE TABLE body_goods_declaration PARTITION OF body FOR VALUES IN ('GoodsDeclaration')
  PARTITION BY RANGE (record);
CREATE TABLE body_customs_response PARTITION OF body FOR VALUES IN ('CustomsResponse')
  PARTITION BY RANGE (record);
CREATE TABLE body_risk_assessment PARTITION OF body FOR VALUES IN ('RiskAssessment')
  PARTITION BY RANGE (record);
CREATE TABLE body_revenue_assessment PARTITION OF body FOR VALUES IN ('RevenueAssessment')
  PARTITION BY RANGE (record);
CREATE TABLE body_transport_event PARTITION OF body FOR VALUES IN ('TransportEvent')
  PARTITION BY RANGE (record);
CREATE TABLE body_attachment PARTITION OF body FOR VALUES IN ('Attachment')
  PARTITION BY RANGE (record);
CREATE TABLE body_other PARTITION OF body DEFAULT PARTITION BY RANGE (record);

-- value first, so that "this S10, whatever its origin" is a prefix. nth counts the windows of time
-- of one value from 0; its unique index makes nodes that see a value at once agree on its number.
CREATE TABLE subject (
  no bigint PRIMARY KEY, value text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL, nth integer NOT NULL,
  first_record bigint NOT NULL, last_record bigint NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX subject_value ON subject (value, kind, origin, nth);
CREATE TABLE version (
  subject bigint NOT NULL, party text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
  latest integer NOT NULL,
  PRIMARY KEY (subject, party, kind)
) WITH (fillfactor = 85);
CREATE TABLE ref (
  subject bigint NOT NULL, record bigint NOT NULL, ordinal bigint NOT NULL,
  PRIMARY KEY (subject, record, ordinal)
) PARTITION BY RANGE (record);

-- size: stored bytes of the message's body, so that a claim bounds them without reading it.
CREATE TABLE leg (
  destination text COLLATE "C" NOT NULL, key bigint NOT NULL, seq bigint NOT NULL,
  lane integer NOT NULL, due bigint NOT NULL, record bigint NOT NULL, ordinal bigint NOT NULL,
  route text NOT NULL, tries integer NOT NULL, size integer NOT NULL,
  PRIMARY KEY (destination, key, seq)
) WITH (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);

-- state: 0 ready, 1 leased, 2 waiting, 3 held. next: seq of the first unsettled leg, or 0 as long
-- as none was settled; last: of the lease's last; urgent: of the leg whose lane and due the head
-- has inherited, 0 for none.
CREATE TABLE head (
  destination text COLLATE "C" NOT NULL, key bigint NOT NULL, state integer NOT NULL,
  lane integer NOT NULL, due bigint NOT NULL, wake bigint NOT NULL,
  token text COLLATE "C" NOT NULL, next bigint NOT NULL, last bigint NOT NULL,
  urgent bigint NOT NULL,
  PRIMARY KEY (destination, key)
) WITH (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX head_ready ON head (destination, lane, due, key) WHERE state = 0;
CREATE INDEX head_wake ON head (wake) WHERE state IN (1, 2);
CREATE INDEX head_held ON head (destination, next) WHERE state = 3;

-- no keeps two reports of the same try apart: after a redelivery both are evidence.
CREATE TABLE attempt (
  record bigint NOT NULL, ordinal bigint NOT NULL, no bigint NOT NULL DEFAULT nextval('attempt_no'),
  destination text COLLATE "C" NOT NULL, n integer NOT NULL, at bigint NOT NULL,
  result text COLLATE "C" NOT NULL, code text NOT NULL, detail text NOT NULL, evidence bytea,
  process text NOT NULL, report bigint, places bytea,
  PRIMARY KEY (record, ordinal, no)
) PARTITION BY RANGE (record);
ALTER TABLE attempt ALTER evidence SET STORAGE EXTERNAL, ALTER places SET STORAGE EXTERNAL;

-- Large interchanges while they are read: their raw slices and bodies stand in raw and body, which
-- nobody reads before a message or interchange names them.
CREATE TABLE staged (
  record bigint PRIMARY KEY, party text NOT NULL, interchange_id text NOT NULL,
  owner text COLLATE "C" NOT NULL, slices integer NOT NULL
);
CREATE INDEX staged_owner ON staged (owner);
-- size: stored bytes of the message's body.
CREATE TABLE plan (
  record bigint NOT NULL, ordinal bigint NOT NULL, size integer NOT NULL, plan bytea NOT NULL,
  PRIMARY KEY (record, ordinal)
);
ALTER TABLE plan ALTER plan SET STORAGE EXTERNAL;

CREATE TABLE hold (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, subject bigint, record bigint,
  reason text NOT NULL, until bigint
);
CREATE TABLE registry (version bigint PRIMARY KEY, document bytea NOT NULL);

-- day: of the acceptance in UTC.
CREATE TABLE quality_judged (
  party text COLLATE "C" NOT NULL, day date NOT NULL, kind text COLLATE "C" NOT NULL,
  messages bigint NOT NULL, refused bigint NOT NULL,
  PRIMARY KEY (party, day, kind)
) WITH (fillfactor = 85);
CREATE TABLE quality_found (
  party text COLLATE "C" NOT NULL, day date NOT NULL, kind text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL, messages bigint NOT NULL, findings bigint NOT NULL,
  PRIMARY KEY (party, day, kind, code)
) WITH (fillfactor = 85);

-- One thing that a translation did, as JSON; digest: SHA-256 of it, since an index has short keys.
CREATE TABLE line (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, digest bytea NOT NULL UNIQUE,
  content text NOT NULL
);
-- A combination of lines by number; its digest is the SHA-256 of what it says, in hexadecimal.
CREATE TABLE report (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, digest text COLLATE "C" NOT NULL UNIQUE,
  format text NOT NULL, kind text NOT NULL, lines bigint[] NOT NULL
);
-- What reading did not simply carry, for those messages alone of which there is something to tell.
CREATE TABLE reading (
  record bigint NOT NULL, ordinal bigint NOT NULL, report bigint NOT NULL, places bytea,
  PRIMARY KEY (record, ordinal)
) PARTITION BY RANGE (record);
ALTER TABLE reading ALTER places SET STORAGE EXTERNAL;

CREATE TABLE remembered (
  digest bytea PRIMARY KEY, until bigint NOT NULL, holder text NOT NULL DEFAULT ''
);
CREATE INDEX remembered_until ON remembered (until);

-- digest: over all that follows, so that each way of proving is there once.
CREATE TABLE prover (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, digest bytea NOT NULL UNIQUE,
  method text NOT NULL, kid text NOT NULL, algorithm text NOT NULL, public_key text NOT NULL,
  fingerprint text NOT NULL
);
CREATE TABLE proof (
  record bigint NOT NULL, prover bigint NOT NULL, signature bytea NOT NULL,
  PRIMARY KEY (record)
) PARTITION BY RANGE (record);
ALTER TABLE proof ALTER signature SET STORAGE EXTERNAL;

-- at: seconds since 1970. A scope is a party's rate, so there are as many rows as parties.
CREATE TABLE bucket (
  scope text COLLATE "C" PRIMARY KEY, level double precision NOT NULL, at double precision NOT NULL
) WITH (fillfactor = 50);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, destinations.TABLE, pruning.TABLES, awaited.TABLE)
"""Step n leads from version n to n + 1. Steps are only ever appended."""

_LOCK = 0x6C75786F72  # "luxor": one migration of a database at a time
_META = 'CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL)'


async def version(connection: Connection) -> int | None:
    """The version of the tables there; ``None`` for a database without a journal."""
    if await connection.fetchval("SELECT to_regclass('meta')") is None:
        return None
    found: int | None = await connection.fetchval("SELECT value FROM meta WHERE name = 'schema'")
    return found


async def check(connection: Connection, *, gateway: int) -> None:
    """Raise :class:`JournalMismatch` unless a journal of that gateway, in this version, is there.

    It writes nothing: for whoever may not migrate.
    """
    found = await version(connection)
    if found is None:
        raise JournalMismatch("the database has no journal yet")
    if found != len(MIGRATIONS):
        raise JournalMismatch(f"the journal has version {found}, this program {len(MIGRATIONS)}")
    await _check_gateway(connection, gateway)


async def migrate(connection: Connection, *, gateway: int) -> None:
    """Bring the database to the newest version, or raise :class:`JournalMismatch`.

    Each step is a transaction; processes that start at once wait for each other. ``gateway`` is
    written into a new journal and must equal it ever after: message ids are made of it.
    """
    while True:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if not await _step(connection, gateway):
                break
    await _check_gateway(connection, gateway)


async def _step(connection: Connection, gateway: int) -> bool:
    """The next step, if there is one."""
    found = await version(connection)
    if found is None:
        if await connection.fetchval(
            "SELECT true FROM pg_class WHERE relnamespace = current_schema()::regnamespace LIMIT 1"
        ):
            raise JournalMismatch("the database has tables, but no journal")
        await connection.execute(_META)
        await connection.execute("INSERT INTO meta VALUES ('schema', 0), ('gateway', $1)", gateway)
        found = 0
    if found > len(MIGRATIONS):
        raise JournalMismatch(f"the journal has version {found}, newer than this program")
    if found == len(MIGRATIONS):
        return False
    await connection.execute(MIGRATIONS[found])
    await connection.execute("UPDATE meta SET value = $1 WHERE name = 'schema'", found + 1)
    return True


async def _check_gateway(connection: Connection, gateway: int) -> None:
    stored = await connection.fetchval("SELECT value FROM meta WHERE name = 'gateway'")
    if stored != gateway:
        raise JournalMismatch(f"the journal belongs to gateway {stored}, not to {gateway}")
