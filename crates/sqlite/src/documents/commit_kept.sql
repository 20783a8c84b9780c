-- The oldest revision within the bounds: counted, and their bytes summed up, from the newest on, which is kept anyway.
SELECT min(revision)
FROM (
    SELECT revision,
        row_number() OVER newest AS number,
        sum(coalesce(length(CAST(body AS BLOB)), 0)) OVER newest AS bytes
    FROM document_revisions
    WHERE document = ?1
    WINDOW newest AS (ORDER BY revision DESC)
)
WHERE number = 1 OR (number <= ?2 AND bytes <= ?3)
