INSERT INTO sessions (token, id, user, created_ms, used_ms, expires_ms, origin, agent)
VALUES (:token, :id, :user, :created_ms, :used_ms, :expires_ms, :origin, :agent)
