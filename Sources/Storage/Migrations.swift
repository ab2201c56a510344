import GRDB

/// The tables of a store. Migrations run forward only, each once, and are never edited after a release.
enum Migrations {
  /// In the file's header, to tell our files from other databases: "mtkd".
  static let applicationID = 0x6d74_6b64

  /// Names and statements, the oldest first.
  private static let all = [
    ("1-sweeps-stages-results", first), ("2-verifications", verifications), ("3-digests-needs-writer", third),
  ]

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for (name, sql) in all { migrator.registerMigration(name) { try $0.execute(sql: sql) } }
    return migrator
  }

  /// The tables of the migrations that a store lacks, as temporary and empty ones: an older program's store
  /// is read as if it had them.
  static func standIns(beside applied: [String]) -> String {
    all.filter { !applied.contains($0.0) }.map(\.1).joined(separator: "\n")
      .replacing("CREATE TABLE ", with: "CREATE TEMP TABLE ")
  }

  /// A table or an index as the file itself describes it.
  struct SchemaItem: Hashable {
    let type: String
    let name: String
    /// Without differences in white space.
    let sql: String
  }

  /// All that a file declares, whoever wrote it.
  static func schema(_ db: Database) throws -> Set<SchemaItem> {
    let rows = try Row.fetchCursor(db, sql: "SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_master")
    var items: Set<SchemaItem> = []
    try StoredRow.each("sqlite_master", rows) { row in
      let item = SchemaItem(
        type: try row.text("type"), name: try row.text("name"),
        sql: try row.text("sql").split(whereSeparator: \.isWhitespace).joined(separator: " "))
      // SQLite's own, such as the indexes of primary keys.
      let isOwn = item.name.hasPrefix("sqlite_") && ["table", "index"].contains(item.type)
      // GRDB's list of what was applied is there before the first migration.
      if !isOwn, (item.type, item.name) != ("table", "grdb_migrations") { items.insert(item) }
    }
    return items
  }

  /// What a file declares that this program has given the first so many migrations, and nothing else.
  static func schema(ofFirst count: Int) throws -> Set<SchemaItem> { try schemas.get()[count] }

  private static let schemas = Result {
    try (0...all.count).map { count in
      let database = try DatabaseQueue()
      if count > 0 { try migrator.migrate(database, upTo: all[count - 1].0) }
      return try database.read(schema)
    }
  }

  private static let third = """
    -- What a stage was when it came to its end: `summary` is over all but its epochs. See ResultStore+Digests.
    CREATE TABLE stage_digest (
      stage INTEGER PRIMARY KEY REFERENCES stage ON DELETE CASCADE,
      summary BLOB NOT NULL CHECK (length(summary) = 32),
      epochs BLOB NOT NULL CHECK (length(epochs) = 32)
    ) STRICT;

    CREATE TABLE verification_digest (
      stage INTEGER NOT NULL,
      at INTEGER NOT NULL,
      digest BLOB NOT NULL CHECK (length(digest) = 32),
      PRIMARY KEY (stage, at),
      FOREIGN KEY (stage, at) REFERENCES verification ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    -- Over all of a sweep, its points and what it needs.
    CREATE TABLE sweep_digest (
      sweep INTEGER PRIMARY KEY REFERENCES sweep ON DELETE CASCADE,
      digest BLOB NOT NULL CHECK (length(digest) = 32)
    ) STRICT;

    -- Stages that runs of a sweep read, whether they have begun or not: datasets, teachers, outputs.
    CREATE TABLE need (
      sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
      key BLOB NOT NULL CHECK (length(key) = 32),
      spec TEXT NOT NULL,
      PRIMARY KEY (sweep, key)
    ) STRICT, WITHOUT ROWID;

    -- Files of imported weights, in archives only: a store has them in a folder.
    CREATE TABLE weights (content INTEGER PRIMARY KEY REFERENCES content) STRICT;

    -- Who may write: whoever takes the store raises the generation, and nobody of an older one commits any more.
    CREATE TABLE writer (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      generation INTEGER NOT NULL,
      holder TEXT NOT NULL
    ) STRICT;
    """

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
