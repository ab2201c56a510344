import GRDB

/// The tables of a store. Migrations run forward only, each once, and are never edited after a release.
enum Migrations {
  /// In the file's header, to tell our files from other databases: "mtkd".
  static let applicationID = 0x6d74_6b64

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1-sweeps-stages-results") { try $0.execute(sql: first) }
    migrator.registerMigration("2-verifications") { try $0.execute(sql: verifications) }
    return migrator
  }

  private static let verifications = """
    -- A run executed again: whether every bit was the same, and what did it.
    CREATE TABLE verification (
      stage INTEGER NOT NULL REFERENCES stage ON DELETE CASCADE,
      at INTEGER NOT NULL,
      equal INTEGER NOT NULL CHECK (equal IN (0, 1)),
      epochs INTEGER NOT NULL,
      provenance TEXT NOT NULL CHECK (json_valid(provenance)),
      PRIMARY KEY (stage, at)
    ) STRICT, WITHOUT ROWID;
    """

  private static let first = """
    -- A grid as it was last run. `digest` is that of its points.
    CREATE TABLE sweep (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      grid TEXT NOT NULL,
      canonical TEXT NOT NULL,
      columns TEXT NOT NULL CHECK (json_valid(columns)),
      asked INTEGER NOT NULL,
      digest BLOB NOT NULL,
      created INTEGER NOT NULL
    ) STRICT;

    -- The distinct runs of a sweep in the order of its plan. `labels` is a list beside the sweep's columns.
    CREATE TABLE point (
      sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      key BLOB NOT NULL CHECK (length(key) = 32),
      seed INTEGER NOT NULL,
      labels TEXT NOT NULL,
      PRIMARY KEY (sweep, ordinal)
    ) STRICT, WITHOUT ROWID;

    -- What was made or is to be made. `cause`, `reason`, `epoch`, `step` say why it failed.
    CREATE TABLE stage (
      id INTEGER PRIMARY KEY,
      key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
      kind TEXT NOT NULL,
      title TEXT NOT NULL,
      spec TEXT NOT NULL CHECK (json_valid(spec)),
      state TEXT NOT NULL CHECK (state IN ('open', 'finished', 'failed', 'blocked')),
      cause TEXT,
      reason TEXT,
      epoch INTEGER,
      step INTEGER
    ) STRICT;

    -- `ingested` counts the records that are in the tables below: a record is taken in once.
    CREATE TABLE attempt (
      id INTEGER PRIMARY KEY,
      stage INTEGER NOT NULL REFERENCES stage ON DELETE CASCADE,
      number INTEGER NOT NULL,
      ingested INTEGER NOT NULL DEFAULT 0,
      step INTEGER NOT NULL DEFAULT 0,
      provenance TEXT CHECK (provenance IS NULL OR json_valid(provenance)),
      outcome TEXT NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'finished', 'failed', 'stopped', 'died')),
      reason TEXT,
      UNIQUE (stage, number)
    ) STRICT;

    CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

    -- One number. Epoch -1 holds those of the whole stage; NULL stands for a value that is no number.
    CREATE TABLE metric (
      stage INTEGER NOT NULL REFERENCES stage ON DELETE CASCADE,
      name INTEGER NOT NULL REFERENCES name,
      epoch INTEGER NOT NULL,
      value REAL,
      PRIMARY KEY (stage, name, epoch)
    ) STRICT, WITHOUT ROWID;

    -- `state` is the digest of all that the next step needed.
    CREATE TABLE epoch (
      stage INTEGER NOT NULL REFERENCES stage ON DELETE CASCADE,
      epoch INTEGER NOT NULL,
      step INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      state BLOB NOT NULL CHECK (length(state) = 32),
      PRIMARY KEY (stage, epoch)
    ) STRICT, WITHOUT ROWID;

    -- Raw bytes by their digest, compressed: equal checkpoints are kept once.
    CREATE TABLE content (
      id INTEGER PRIMARY KEY,
      digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
      size INTEGER NOT NULL,
      frame BLOB NOT NULL
    ) STRICT;

    CREATE TABLE checkpoint (
      stage INTEGER NOT NULL REFERENCES stage ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('last', 'best', 'final')),
      epoch INTEGER NOT NULL,
      step INTEGER NOT NULL,
      content INTEGER NOT NULL REFERENCES content,
      PRIMARY KEY (stage, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX checkpoint_by_content ON checkpoint (content);

    -- How long work took here: means over `count` measurements, in CPU seconds, for forecasts.
    CREATE TABLE estimate (
      topic TEXT PRIMARY KEY,
      seconds REAL NOT NULL,
      count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
}
