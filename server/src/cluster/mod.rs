//! Several nodes that share a world of rooms. So far what lies between them: [`link`].

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the cluster's task is what calls it")
)]
pub(crate) mod link;
