//! What there is below `/api/v1`, each once: the router goes by this table, the document in
//! `openapi.json` says the same, which a test compares. Pure.

use hyper::{Method, StatusCode};

use super::problem::Problem;
use crate::auth::Scope;

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Rooms,
    Presence,
    Boards,
    Matches,
    History,
    Events,
}

/// One kind of request.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The label of its figure, and its `operationId` in the document.
    pub(super) name: &'static str,
    /// What is there, and what a key must be for; `None`: the document, for which none is needed.
    pub(super) opens: Option<(Scope, Resource)>,
}

/// The figure of what is none of these.
pub(super) const NOWHERE: &str = "none";

/// A path has one method.
pub(super) static ROUTES: [Route; 7] = [
    Route {
        method: Method::GET,
        path: "/api/v1/openapi.json",
        name: "openapi",
        opens: None,
    },
    Route {
        method: Method::GET,
        path: "/api/v1/rooms",
        name: "rooms",
        opens: Some((Scope::RoomsRead, Resource::Rooms)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/presence",
        name: "presence",
        opens: Some((Scope::PresenceRead, Resource::Presence)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/boards",
        name: "boards",
        opens: Some((Scope::ResultsRead, Resource::Boards)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/matches",
        name: "matches",
        opens: Some((Scope::ResultsRead, Resource::Matches)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/history",
        name: "history",
        opens: Some((Scope::ChatRead, Resource::History)),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/events",
        name: "events",
        opens: Some((Scope::EventsWrite, Resource::Events)),
    },
];

/// Which of them a request is; HEAD is taken where GET is.
pub(super) fn find(method: &Method, path: &str) -> Result<&'static Route, Problem> {
    let route = ROUTES.iter().find(|route| route.path == path);
    let nothing = || Problem::new(StatusCode::NOT_FOUND, "nothing is there");
    let route = route.ok_or_else(nothing)?;
    let is_read = route.method == Method::GET;
    if *method == route.method || (is_read && *method == Method::HEAD) {
        return Ok(route);
    }
    Err(Problem::not_allowed(match is_read {
        true => "GET, HEAD",
        false => "POST",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::API_ROUTES;

    #[test]
    fn a_path_and_its_method_lead_somewhere() {
        let check = |method: Method, path: &str, found: Result<&str, u16>| {
            let route = find(&method, path).map(|route| route.name);
            assert_eq!(
                route.map_err(|problem| problem.status().as_u16()),
                found,
                "{path}"
            );
        };
        check(Method::GET, "/api/v1/rooms", Ok("rooms"));
        check(Method::HEAD, "/api/v1/rooms", Ok("rooms"));
        check(Method::POST, "/api/v1/rooms", Err(405));
        check(Method::POST, "/api/v1/events", Ok("events"));
        check(Method::GET, "/api/v1/events", Err(405));
        check(Method::OPTIONS, "/api/v1/presence", Err(405));
        for nowhere in [
            "/",
            "/api/v1",
            "/api/v1/",
            "/api/v1/rooms/",
            "/api/v1/Rooms",
            "/api/v1/%72ooms",
        ] {
            check(Method::GET, nowhere, Err(404));
        }
    }

    #[test]
    fn each_has_a_figure() {
        let mut names: Vec<&str> = ROUTES.iter().map(|route| route.name).collect();
        names.push(NOWHERE);
        assert_eq!(names, API_ROUTES);
    }
}
