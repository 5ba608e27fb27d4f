-- A database of version 4, as it was: never changed.

CREATE TABLE tickwire_versions (version BIGINT NOT NULL PRIMARY KEY);
INSERT INTO tickwire_versions VALUES (1);
INSERT INTO tickwire_versions VALUES (2);
INSERT INTO tickwire_versions VALUES (3);
INSERT INTO tickwire_versions VALUES (4);
INSERT INTO tickwire_versions VALUES (5);
CREATE TABLE players (
    player TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    handle TEXT NOT NULL DEFAULT ''
);
CREATE INDEX players_handle ON players (handle) WHERE handle <> '';

CREATE TABLE ratings (
    game TEXT NOT NULL,
    player TEXT NOT NULL,
    mean DOUBLE PRECISION NOT NULL,
    deviation DOUBLE PRECISION NOT NULL,
    played BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (game, player)
);
CREATE INDEX ratings_player ON ratings (player);
CREATE INDEX ratings_mean ON ratings (game, mean);

CREATE TABLE rooms (
    room TEXT NOT NULL PRIMARY KEY,
    game TEXT NOT NULL,
    number BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE INDEX rooms_opened_at ON rooms (opened_at);
CREATE INDEX rooms_number ON rooms (number, opened_at);

CREATE TABLE messages (
    channel TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    said_at BIGINT NOT NULL,
    player TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    nonce BIGINT,
    PRIMARY KEY (channel, sequence)
);
CREATE UNIQUE INDEX messages_nonce ON messages (channel, player, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX messages_said_at ON messages (said_at);
CREATE INDEX messages_player ON messages (player);

CREATE TABLE matches (
    room TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    round BIGINT NOT NULL,
    game TEXT NOT NULL,
    season TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    counted BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room, epoch, round)
);
CREATE INDEX matches_uncounted ON matches (ended_at) WHERE counted = 0;
CREATE UNIQUE INDEX matches_round ON matches (room, round);
CREATE INDEX matches_newest ON matches (game, ended_at DESC, room, round);

CREATE TABLE match_players (
    room TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    round BIGINT NOT NULL,
    number BIGINT NOT NULL,
    player TEXT NOT NULL,
    name TEXT NOT NULL,
    team BIGINT NOT NULL,
    place BIGINT NOT NULL,
    score BIGINT NOT NULL,
    has_left BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room, epoch, round, number)
);
CREATE INDEX match_players_player ON match_players (player);

CREATE TABLE scores (
    game TEXT NOT NULL,
    season TEXT NOT NULL,
    player TEXT NOT NULL,
    value BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (game, season, player)
);
CREATE INDEX scores_board ON scores (game, season, value DESC, player);
CREATE INDEX scores_player ON scores (player);

CREATE TABLE notices (
    player TEXT NOT NULL,
    number BIGINT NOT NULL,
    text TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    id TEXT NOT NULL DEFAULT '',
    game TEXT NOT NULL DEFAULT '',
    event TEXT NOT NULL DEFAULT '',
    fields TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (player, number)
);
CREATE INDEX notices_expires ON notices (expires);
CREATE INDEX notices_said_at ON notices (said_at);
CREATE INDEX notices_id ON notices (id);
CREATE UNIQUE INDEX notices_number ON notices (number, player);

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE notices_seen (
    player TEXT NOT NULL,
    game TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    mark BIGINT NOT NULL,
    PRIMARY KEY (player, game)
);
CREATE INDEX notices_seen_at ON notices_seen (at);
CREATE UNIQUE INDEX notices_seen_mark ON notices_seen (mark);

CREATE TABLE api_answers (
    mark TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    reached_now BIGINT NOT NULL,
    later BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX api_answers_at ON api_answers (at, mark);

CREATE TABLE outbox (
    kind BIGINT NOT NULL,
    channel TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    due BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (kind, channel, number)
);
CREATE INDEX outbox_due ON outbox (kind, due);
CREATE INDEX outbox_at ON outbox (kind, at);

CREATE TABLE sanctions (
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    until BIGINT NOT NULL,
    since BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, target)
);

CREATE TABLE blocks (
    player TEXT NOT NULL,
    blocked TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (player, blocked)
);
CREATE INDEX blocks_blocked ON blocks (blocked);

CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

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

INSERT INTO players VALUES ('user:ann', 'Ann', 1000, 4000000000000, 'AAAAAAAAAAAAAAAA');
INSERT INTO ratings VALUES ('chess', 'user:ann', 25.5, 8.25, 3, 4000000000000);
INSERT INTO rooms VALUES ('7-00000000000000ff', 'chess', 7, 4000000000000);
INSERT INTO messages VALUES ('7-00000000000000ff', 1, 4000000000000, 'user:ann', 'Ann', 'hello', NULL);
INSERT INTO messages VALUES ('7-00000000000000ff', 2, 4000000000001, 'user:ann', 'Ann', 'again', -1);
INSERT INTO matches VALUES ('7-00000000000000ff', 2, 1, 'chess', '2026', 4000000000000, 1);
INSERT INTO match_players VALUES ('7-00000000000000ff', 2, 1, 0, 'user:ann', 'Ann', 0, 1, 3, 0);
INSERT INTO scores VALUES ('chess', '2026', 'user:ann', 3, 4000000000000);
INSERT INTO notices VALUES ('user:ann', 1, 'tidings', 4000000000000, 4000000000000, 'a', '', '', '');
INSERT INTO counters VALUES ('notices', 1);
INSERT INTO counters VALUES ('notices_seen', 0);
INSERT INTO counters VALUES ('outbox_until', 0);
INSERT INTO sanctions VALUES ('mute', 'user:ann', 4000000000, 1, 'loud');
INSERT INTO blocks VALUES ('user:ann', 'user:bo', 1);
INSERT INTO secrets VALUES ('handles', '00112233');
INSERT INTO directs VALUES ('user:ann', 'user:bo', 2, 1, 4000000000000);
