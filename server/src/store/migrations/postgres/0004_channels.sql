-- By which others address a player; empty: nobody was told it.
ALTER TABLE players ADD COLUMN handle TEXT NOT NULL DEFAULT '';
CREATE INDEX players_handle ON players (handle) WHERE handle <> '';

-- What handles and the keys of channels of two are made with: as old as what is stored by them.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO secrets (name, value) VALUES ('handles', replace(CAST(gen_random_uuid() AS TEXT) || CAST(gen_random_uuid() AS TEXT), '-', ''));

-- Of what a peer said to a player: the newest line, and up to where the player has read.
CREATE TABLE directs (
    player TEXT NOT NULL,
    peer TEXT NOT NULL,
    newest BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (player, peer)
);
CREATE INDEX directs_peer ON directs (peer);
CREATE INDEX directs_at ON directs (at);
