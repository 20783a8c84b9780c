INSERT INTO connections (token, id, principal, details, node, ends_ms)
VALUES (:token, :id, :principal, :details, :node, :ends_ms)
