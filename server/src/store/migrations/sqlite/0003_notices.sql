-- Numbers that are given in the order in which transactions are done: who gives one has its row until then.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) SELECT 'notices', COALESCE(MAX(number), 0) FROM notices;
INSERT INTO counters (name, value) VALUES ('notices_seen', 0);

-- By what who says a notice knows it again; the only game whose connections get it, or none; an event of it as JSON.
ALTER TABLE notices ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN game TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN event TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN fields TEXT NOT NULL DEFAULT '';
CREATE INDEX notices_id ON notices (id);
CREATE UNIQUE INDEX notices_number ON notices (number, player);

-- Up to which notice a player has seen those that connections of a game are given.
CREATE TABLE notices_seen (
    player TEXT NOT NULL,
    game TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    mark BIGINT NOT NULL,
    PRIMARY KEY (player, game)
) WITHOUT ROWID;
CREATE INDEX notices_seen_at ON notices_seen (at);
CREATE UNIQUE INDEX notices_seen_mark ON notices_seen (mark);

-- What programs were answered, by hashes of their Idempotency-Key and of what they sent with it.
CREATE TABLE api_answers (
    mark TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    reached_now BIGINT NOT NULL,
    later BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX api_answers_at ON api_answers (at, mark);

-- Programs ask for a room by its number.
CREATE INDEX rooms_number ON rooms (number, opened_at);
