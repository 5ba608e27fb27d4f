-- Whole numbers are 64 bits; times are milliseconds since 1970.

-- Who was here: users whom a token vouches for, and guests who played to a result.
CREATE TABLE players (
    player TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE ratings (
    game TEXT NOT NULL,
    player TEXT NOT NULL,
    mean DOUBLE PRECISION NOT NULL,
    deviation DOUBLE PRECISION NOT NULL,
    played BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (game, player)
) WITHOUT ROWID;
CREATE INDEX ratings_player ON ratings (player);
CREATE INDEX ratings_mean ON ratings (game, mean);

-- Rooms that were made, by the key of what is said and played in them.
CREATE TABLE rooms (
    room TEXT NOT NULL PRIMARY KEY,
    game TEXT NOT NULL,
    number BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX rooms_opened_at ON rooms (opened_at);

-- What was said, by channel, in its order there.
CREATE TABLE messages (
    channel TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    said_at BIGINT NOT NULL,
    player TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    nonce BIGINT,
    PRIMARY KEY (channel, sequence)
) WITHOUT ROWID;
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
    PRIMARY KEY (room, epoch, round)
) WITHOUT ROWID;
CREATE INDEX matches_ended_at ON matches (game, ended_at);

-- Who played a match: by their place in the list that the game gave, for of who was erased there is no name.
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
    PRIMARY KEY (room, epoch, round, number)
) WITHOUT ROWID;
CREATE INDEX match_players_player ON match_players (player);

CREATE TABLE scores (
    game TEXT NOT NULL,
    season TEXT NOT NULL,
    player TEXT NOT NULL,
    value BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (game, season, player)
) WITHOUT ROWID;
CREATE INDEX scores_value ON scores (game, season, value, at);
CREATE INDEX scores_player ON scores (player);

-- For one player, or for all where the player is empty.
CREATE TABLE notices (
    player TEXT NOT NULL,
    number BIGINT NOT NULL,
    text TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (player, number)
) WITHOUT ROWID;
CREATE INDEX notices_expires ON notices (expires);
CREATE INDEX notices_said_at ON notices (said_at);

-- Bans and mutes. A target is a player, an address or a network; until and since are seconds.
CREATE TABLE sanctions (
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    until BIGINT NOT NULL,
    since BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, target)
) WITHOUT ROWID;

CREATE TABLE blocks (
    player TEXT NOT NULL,
    blocked TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (player, blocked)
) WITHOUT ROWID;
CREATE INDEX blocks_blocked ON blocks (blocked);
