"""The database's schema as the list of steps that made it: step N brings version N-1 to version N. Steps are never edited."""

# Times are milliseconds since the epoch, UTC. A process is its number, its start (clock ticks since boot) and the boot.
_FIRST = """
CREATE TABLE layers (
    id          TEXT PRIMARY KEY,
    path        TEXT NOT NULL UNIQUE,
    parent_id   TEXT REFERENCES layers (id),
    size_mib    INTEGER NOT NULL,
    frozen      INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL
);
CREATE INDEX layers_by_parent ON layers (parent_id);

CREATE TABLE workspaces (
    id                  TEXT PRIMARY KEY,
    name                TEXT UNIQUE,
    environment         TEXT NOT NULL,
    environment_digest  TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('creating', 'running', 'stopped', 'failed', 'deleting')),
    state_reason        TEXT,
    maker_pid           INTEGER,
    maker_started       INTEGER,
    maker_boot          TEXT,
    vcpu_count          INTEGER NOT NULL,
    mem_mib             INTEGER NOT NULL,
    disk_mib            INTEGER NOT NULL,
    idle_stop_seconds   INTEGER,
    ttl_seconds         INTEGER,
    created_at          INTEGER NOT NULL,
    last_activity_at    INTEGER NOT NULL,
    seed_digest         TEXT,
    seed_report         TEXT,
    top_layer_id        TEXT UNIQUE REFERENCES layers (id),
    at_snapshot_id      INTEGER REFERENCES snapshots (id) ON DELETE SET NULL
);
CREATE INDEX workspaces_by_activity ON workspaces (last_activity_at);

CREATE TABLE labels (
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    key           TEXT NOT NULL,
    value         TEXT NOT NULL,
    PRIMARY KEY (workspace_id, key)
) WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (key, value);

CREATE TABLE snapshots (
    id            INTEGER PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    parent_id     INTEGER REFERENCES snapshots (id),
    layer_id      TEXT NOT NULL REFERENCES layers (id),
    created_at    INTEGER NOT NULL,
    UNIQUE (workspace_id, name)
);
CREATE INDEX snapshots_by_parent ON snapshots (parent_id);
CREATE INDEX snapshots_by_layer ON snapshots (layer_id);

CREATE TABLE machines (
    id              TEXT PRIMARY KEY,
    workspace_id    TEXT UNIQUE REFERENCES workspaces (id) ON DELETE CASCADE,
    runtime         TEXT NOT NULL,
    maker_pid       INTEGER NOT NULL,
    maker_started   INTEGER NOT NULL,
    maker_boot      TEXT NOT NULL,
    keeper_pid      INTEGER,
    keeper_started  INTEGER,
    isolation       TEXT,
    confinement     TEXT,
    created_at      INTEGER NOT NULL
);

CREATE TABLE resources (
    id             INTEGER PRIMARY KEY,
    kind           TEXT NOT NULL CHECK (kind IN ('process', 'directory', 'socket', 'layer', 'port', 'uid', 'lock')),
    scope          TEXT NOT NULL CHECK (scope IN ('maker', 'machine', 'workspace')),
    owner          TEXT NOT NULL,
    phase          TEXT NOT NULL CHECK (phase IN ('planned', 'made', 'doomed')),
    path           TEXT,
    number         INTEGER,
    token          TEXT,
    pid            INTEGER,
    started        INTEGER,
    maker_pid      INTEGER NOT NULL,
    maker_started  INTEGER NOT NULL,
    maker_boot     TEXT NOT NULL,
    created_at     INTEGER NOT NULL
);
CREATE INDEX resources_by_owner ON resources (owner);
CREATE UNIQUE INDEX numbers_once ON resources (kind, number) WHERE number IS NOT NULL;

CREATE TABLE event_heads (
    workspace_id  TEXT PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    sequence      INTEGER NOT NULL,
    hash          TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    sequence      INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    duration_ms   INTEGER,
    data          TEXT NOT NULL,
    previous      TEXT NOT NULL,
    hash          TEXT NOT NULL,
    PRIMARY KEY (workspace_id, sequence)
) WITHOUT ROWID;
"""

# `allow_hosts` is JSON; `network_logged` is how much of the keeper's record of decisions the events have already (bytes).
_NETWORK = """
ALTER TABLE workspaces ADD COLUMN network_policy TEXT NOT NULL DEFAULT 'off';
ALTER TABLE workspaces ADD COLUMN allow_hosts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE workspaces ADD COLUMN host_ca INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN network_logged INTEGER NOT NULL DEFAULT 0;
"""

# The names alone: values are files that only their owner can read (workspaces/secrets).
_SECRETS = """
CREATE TABLE secrets (
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    PRIMARY KEY (workspace_id, name)
) WITHOUT ROWID;
"""

# What was started last under a name; whether it runs, its keeper knows.
_SERVICES = """
CREATE TABLE services (
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    command       TEXT NOT NULL,
    cwd           TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) WITHOUT ROWID;

CREATE TABLE ports (
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    service       TEXT NOT NULL,
    address       TEXT NOT NULL,
    host_port     INTEGER NOT NULL,
    guest_port    INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, host_port)
) WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _NETWORK, _SECRETS, _SERVICES)
