-- Who left before the end, and whether a match counts already: for ratings and boards.
ALTER TABLE match_players ADD COLUMN has_left BIGINT NOT NULL DEFAULT 0;
ALTER TABLE matches ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;
CREATE INDEX matches_uncounted ON matches (ended_at) WHERE counted = 0;

-- A round of a room ends once, whichever owner of the room says so first.
CREATE UNIQUE INDEX matches_round ON matches (room, round);

-- In the order in which they are read.
DROP INDEX matches_ended_at;
CREATE INDEX matches_newest ON matches (game, ended_at DESC, room, round);
DROP INDEX scores_value;
CREATE INDEX scores_board ON scores (game, season, value DESC, player);
