//! Which component serves a path. Pure.
//!
//! Segment by segment an exact one goes before `:name`, and that before `/...`; so the longest and most exact route
//! wins, whatever the order in the manifest. Slashes at the end of a path make no difference, and `/users/...` serves
//! `/users` too, as under Spin.

use std::{fmt, sync::Arc};

use crate::manifest::app::Route;

/// The routes of an application, as a tree of path segments.
#[derive(Debug, Clone)]
pub struct Router {
    /// The first is the root; children are named by their place.
    nodes: Vec<Node>,
    routes: Vec<Leaf>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Sorted by segment.
    exact: Vec<(Box<str>, usize)>,
    named: Option<usize>,
    /// The route that ends here.
    end: Option<usize>,
    /// The route whose `/...` starts here.
    wildcard: Option<usize>,
}

#[derive(Debug, Clone)]
struct Leaf {
    component: Arc<str>,
    pattern: Pattern,
}

/// What a path was matched to. `spin-*` request headers are made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch<'a> {
    /// The component's id.
    pub component: &'a Arc<str>,
    /// The route as the manifest has it: `/users/:id/...`. For `spin-matched-route` and `spin-raw-component-route`.
    pub pattern: &'a str,
    /// The route without its wildcard: `/users/:id`. For `spin-component-route`.
    pub component_route: &'a str,
    /// What the wildcard stands for, with its leading slash; empty where there is none. For `spin-path-info`.
    pub path_info: &'a str,
    /// Named segments in the route's order, not percent-decoded. For `spin-path-match-<name>`.
    pub params: Vec<(&'a str, &'a str)>,
}

/// Why routes cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Two routes match the same paths.
    #[error("the route `{route}` of `{second}` clashes with `{earlier}` of `{first}`")]
    Clash {
        /// The later route.
        route: String,
        /// The earlier route; it may name its segments differently.
        earlier: String,
        /// The component of the earlier route.
        first: String,
        /// The component of the later route.
        second: String,
    },
    /// A route that is not written as one.
    #[error("`{route}` is no route: {problem}")]
    Bad {
        /// The route.
        route: String,
        /// What is wrong with it.
        problem: PatternProblem,
    },
}

/// What may be wrong with a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// No slash at the start.
    #[error("start it with `/`")]
    NoSlash,
    /// `//` in it.
    #[error("take out the empty segment `//`")]
    EmptySegment,
    /// `...` before the end, or within a segment.
    #[error("`...` stands alone, as the last segment")]
    Wildcard,
    /// Another system's wildcard.
    #[error("write `/...` at the end for a wildcard, `:name` for one segment")]
    Star,
    /// `:` without a good name after it.
    #[error("after `:` comes a name of letters, digits, `-` and `_`, and nothing else in that segment")]
    Name,
    /// The same name twice.
    #[error("each `:name` may stand in it once")]
    NameTwice,
    /// A blank, `?`, `#` or a control character.
    #[error("a path has no blanks, no `?` and no `#`; percent-encode them")]
    Character,
    /// A path that the platform keeps for itself.
    #[error("paths under `/.well-known/spin/` are the platform's own")]
    Reserved,
}

/// A route, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exact(Box<str>),
    Named(Box<str>),
}

impl Router {
    /// Builds the tree; private routes are not in it.
    pub fn new<Id: Into<Arc<str>>>(routes: impl IntoIterator<Item = (Id, Route)>) -> Result<Self, RouteError> {
        let mut router = Self { nodes: vec![Node::default()], routes: Vec::new() };
        for (component, route) in routes {
            if let Route::Path(text) = route {
                let pattern = Pattern::parse(&text).map_err(|problem| RouteError::Bad { route: text, problem })?;
                router.add(Leaf { component: component.into(), pattern })?;
            }
        }
        Ok(router)
    }

    /// The best route for a request's path (without its query), if one matches.
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let mut values = Vec::new();
        let first = path.len() - path.trim_start_matches('/').len();
        let tail = path.get(first.saturating_sub(1)..)?;
        let (route, path_info) = self.descend(0, tail, &mut values)?;
        let Leaf { component, pattern } = self.routes.get(route)?;
        Some(RouteMatch {
            component,
            pattern: &pattern.text,
            component_route: pattern.prefix(),
            path_info,
            params: pattern.names().zip(values).collect(),
        })
    }

    /// Patterns and components in the order in which they were given.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|leaf| (&*leaf.pattern.text, &*leaf.component))
    }

    /// The route for `tail` below a node, and what its wildcard stands for. Each node is looked at once at most.
    fn descend<'a>(&'a self, at: usize, tail: &'a str, values: &mut Vec<&'a str>) -> Option<(usize, &'a str)> {
        let node = self.nodes.get(at)?;
        let rest = tail.strip_prefix('/').unwrap_or(tail);
        if rest.bytes().all(|byte| byte == b'/') {
            return node.end.map(|route| (route, "")).or_else(|| node.wildcard.map(|route| (route, tail)));
        }
        let (segment, tail_after) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        if let Some(child) = node.child(segment)
            && let Some(found) = self.descend(child, tail_after, values)
        {
            return Some(found);
        }
        if let Some(child) = node.named.filter(|_| !segment.is_empty()) {
            let depth = values.len();
            values.push(segment);
            if let Some(found) = self.descend(child, tail_after, values) {
                return Some(found);
            }
            values.truncate(depth);
        }
        node.wildcard.map(|route| (route, tail))
    }

    fn add(&mut self, leaf: Leaf) -> Result<(), RouteError> {
        let mut at = 0;
        for segment in &leaf.pattern.segments {
            at = self.child_or_new(at, segment);
        }
        let route = self.routes.len();
        let place =
            self.nodes.get_mut(at).map(|node| if leaf.pattern.wildcard { &mut node.wildcard } else { &mut node.end });
        if let Some(place) = place {
            if let Some(earlier) = place.and_then(|earlier| self.routes.get(earlier)) {
                return Err(RouteError::Clash {
                    route: leaf.pattern.text.into(),
                    earlier: earlier.pattern.text.to_string(),
                    first: earlier.component.to_string(),
                    second: leaf.component.to_string(),
                });
            }
            *place = Some(route);
        }
        self.routes.push(leaf);
        Ok(())
    }

    fn child_or_new(&mut self, at: usize, segment: &Segment) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else {
            return at;
        };
        let child = match segment {
            Segment::Named(_) => *node.named.get_or_insert(new),
            Segment::Exact(text) => match node.exact.binary_search_by(|(known, _)| known.cmp(text)) {
                Ok(place) => node.exact.get(place).map_or(new, |(_, child)| *child),
                Err(place) => {
                    node.exact.insert(place, (text.clone(), new));
                    new
                }
            },
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }
}

impl Node {
    fn child(&self, segment: &str) -> Option<usize> {
        let place = self.exact.binary_search_by(|(known, _)| (**known).cmp(segment)).ok()?;
        self.exact.get(place).map(|(_, child)| *child)
    }
}

impl Pattern {
    /// Reads a route.
    pub fn parse(route: &str) -> Result<Self, PatternProblem> {
        let path = route.strip_prefix('/').ok_or(PatternProblem::NoSlash)?;
        if route.starts_with("/.well-known/spin/") {
            return Err(PatternProblem::Reserved);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let (path, wildcard) = match path.strip_suffix("...") {
            Some("") => ("", true),
            Some(before) => (before.strip_suffix('/').ok_or(PatternProblem::Wildcard)?, true),
            None => (path, false),
        };
        let texts = path.split('/').filter(|_| !path.is_empty());
        let segments = texts.map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
        let pattern = Self { text: route.into(), segments, wildcard };
        let mut names: Vec<&str> = pattern.names().collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < pattern.names().count() { Err(PatternProblem::NameTwice) } else { Ok(pattern) }
    }

    /// The same for every two routes that match the same paths.
    pub fn shape(&self) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            shape.push('/');
            shape.push_str(match segment {
                Segment::Exact(text) => text,
                Segment::Named(_) => ":",
            });
        }
        shape.push_str(if self.wildcard { "/..." } else { "/" });
        shape
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Named(name) => Some(&**name),
            Segment::Exact(_) => None,
        })
    }

    /// The route without its wildcard.
    fn prefix(&self) -> &str {
        self.text.trim_end_matches('/').strip_suffix("/...").unwrap_or(&self.text)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternProblem> {
        if text.is_empty() {
            return Err(PatternProblem::EmptySegment);
        }
        if text.contains("...") {
            return Err(PatternProblem::Wildcard);
        }
        if text.contains('*') {
            return Err(PatternProblem::Star);
        }
        if text
            .contains(|character: char| character.is_whitespace() || character.is_control() || "?#".contains(character))
        {
            return Err(PatternProblem::Character);
        }
        match text.strip_prefix(':') {
            Some(name) if is_name(name) => Ok(Self::Named(name.into())),
            Some(_) => Err(PatternProblem::Name),
            None => Ok(Self::Exact(text.into())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Becomes part of a header's name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&str]) -> Router {
        Router::new(routes.iter().map(|route| (*route, Route::Path((*route).to_owned())))).unwrap()
    }

    fn found<'a>(router: &'a Router, path: &'a str) -> Option<&'a str> {
        router.find(path).map(|found| found.pattern)
    }

    #[test]
    fn exact_goes_before_named_and_named_before_wildcard() {
        let router = router(&["/...", "/users/...", "/users/:id", "/users/me", "/users", "/users/:id/orders"]);
        for (path, route) in [
            ("/", "/..."),
            ("/users", "/users"),
            ("/users/", "/users"),
            ("/users/me", "/users/me"),
            ("/users/7", "/users/:id"),
            ("/users/7/orders", "/users/:id/orders"),
            ("/users/me/orders", "/users/:id/orders"),
            ("/users/7/other", "/users/..."),
            ("/usersx", "/..."),
            ("/users/7/orders/1", "/users/..."),
        ] {
            assert_eq!(found(&router, path), Some(route), "{path}");
        }
    }

    #[test]
    fn the_longest_wildcard_wins_whatever_the_order() {
        let forth = ["/one/...", "/one/two/...", "/one/two/three/..."];
        let back = ["/one/two/three/...", "/one/two/...", "/one/..."];
        for routes in [forth, back] {
            let router = router(&routes);
            assert_eq!(found(&router, "/one/two/three/four"), Some("/one/two/three/..."));
            assert_eq!(found(&router, "/one/two/x"), Some("/one/two/..."));
            assert_eq!(found(&router, "/two"), None);
        }
    }

    #[test]
    fn path_info_is_what_the_wildcard_stands_for() {
        let router = router(&["/foo/...", "/bar", "/:a/x/..."]);
        for (path, info) in [
            ("/foo", ""),
            ("/foo/", "/"),
            ("/foo/a", "/a"),
            ("/foo/a/b/", "/a/b/"),
            ("/foo//a", "//a"),
            ("/foo/%2Fa", "/%2Fa"),
            ("/bar", ""),
            ("/bar/", ""),
            ("/q/x/y", "/y"),
        ] {
            assert_eq!(router.find(path).unwrap().path_info, info, "{path}");
        }
    }

    #[test]
    fn named_segments_are_handed_over_in_order() {
        let router = router(&["/users/:id/orders/:order-id/...", "/:lang/about"]);
        let found = router.find("/users/7/orders/a%20b/lines/1").unwrap();
        assert_eq!(found.params, [("id", "7"), ("order-id", "a%20b")]);
        assert_eq!(found.component_route, "/users/:id/orders/:order-id");
        assert_eq!(found.path_info, "/lines/1");
        assert_eq!(router.find("/de/about").unwrap().params, [("lang", "de")]);
    }

    #[test]
    fn a_dead_end_takes_back_the_names_it_collected() {
        let router = router(&["/:a/:b/x", "/:c/..."]);
        let found = router.find("/1/2/y").unwrap();
        assert_eq!((found.pattern, found.params, found.path_info), ("/:c/...", vec![("c", "1")], "/2/y"));
    }

    #[test]
    fn the_root_is_a_route_like_any_other() {
        let only_root = router(&["/"]);
        assert_eq!(found(&only_root, "/"), Some("/"));
        assert_eq!(found(&only_root, ""), Some("/"));
        assert_eq!(found(&only_root, "/x"), None);
        let all = router(&["/..."]);
        assert_eq!(all.find("/").unwrap().path_info, "/");
        assert_eq!(all.find("/").unwrap().component_route, "");
        assert_eq!(all.find("/a/b").unwrap().path_info, "/a/b");
    }

    #[test]
    fn doubled_slashes_match_only_wildcards() {
        let router = router(&["/a/b", "/a/:x/c", "/w/..."]);
        assert_eq!(found(&router, "//a/b"), Some("/a/b"));
        assert_eq!(found(&router, "/a//b"), None);
        assert_eq!(found(&router, "/a//c"), None);
        assert_eq!(found(&router, "/w//c"), Some("/w/..."));
    }

    #[test]
    fn routes_that_match_the_same_paths_clash() {
        for (first, second) in [("/a", "/a"), ("/a", "/a/"), ("/:x/b", "/:y/b"), ("/a/...", "/a/..."), ("/", "/")] {
            let routes = [("one", first), ("two", second)];
            let error = Router::new(routes.map(|(id, route)| (id, Route::Path(route.to_owned())))).unwrap_err();
            assert!(matches!(error, RouteError::Clash { first, second, .. } if first == "one" && second == "two"));
        }
        router(&["/a", "/a/...", "/:x", "/:x/..."]);
    }

    #[test]
    fn private_routes_are_not_reached_from_outside() {
        assert_eq!(Router::new([("a", Route::Private), ("b", Route::Private)]).unwrap().find("/"), None);
    }

    #[test]
    fn what_is_no_route_says_why() {
        for (route, problem) in [
            ("a", PatternProblem::NoSlash),
            ("", PatternProblem::NoSlash),
            ("/a//b", PatternProblem::EmptySegment),
            ("/.../a", PatternProblem::Wildcard),
            ("/a...", PatternProblem::Wildcard),
            ("/a/*", PatternProblem::Star),
            ("/:", PatternProblem::Name),
            ("/:a.json", PatternProblem::Name),
            ("/:a/:a", PatternProblem::NameTwice),
            ("/a b", PatternProblem::Character),
            ("/a?b", PatternProblem::Character),
            ("/.well-known/spin/health", PatternProblem::Reserved),
        ] {
            assert_eq!(Pattern::parse(route).unwrap_err(), problem, "{route}");
        }
    }
}
