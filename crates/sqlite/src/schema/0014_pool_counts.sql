-- Counts that nodes made while their store was away, and that were added: each is recognised for a week. They outlive the pool.
CREATE TABLE pool_counts (
    namespace INTEGER NOT NULL,
    pool TEXT NOT NULL,
    memo TEXT NOT NULL,
    counted_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, pool, memo)
) STRICT, WITHOUT ROWID;
