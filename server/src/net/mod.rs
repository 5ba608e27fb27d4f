//! Sockets: the only place of the server that knows them, beside the worker that owns a room's.
