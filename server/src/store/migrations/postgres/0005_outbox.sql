-- What the operator's web hook is still to be told: a result (kind 1) by its room and round, a line (kind 0) by its
-- channel and sequence.
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

-- Until when one of the servers of a database sends it.
INSERT INTO counters (name, value) VALUES ('outbox_until', 0);
