//! Node, in which the yardsticks run what browsers run: scripts of `benches/js`, over their input
//! and output. What a script is told and what it answers is its caller's.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A Node that can run scripts.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
}

/// Why there are no figures of JavaScript.
#[derive(Debug)]
pub enum NodeError {
    /// There is no such program.
    Missing,
    /// It is there and failed; what it said.
    Failed(String),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Missing => f.write_str("no node program is installed"),
            NodeError::Failed(what) => write!(f, "node failed: {what}"),
        }
    }
}

impl std::error::Error for NodeError {}

impl From<io::Error> for NodeError {
    fn from(error: io::Error) -> NodeError {
        match error.kind() {
            io::ErrorKind::NotFound => NodeError::Missing,
            _ => NodeError::Failed(error.to_string()),
        }
    }
}

impl Node {
    /// Looks for a program of this name.
    ///
    /// # Errors
    /// It is not there, or does not run.
    pub fn find(program: &str) -> Result<Node, NodeError> {
        let node = Node {
            program: program.into(),
        };
        let child = node.command("--version".as_ref()).spawn()?;
        finish(child).map(|_| node)
    }

    /// Starts a script of `benches/js`, its input, output and errors piped.
    ///
    /// # Errors
    /// The program does not start.
    pub fn start(&self, script: &str, arguments: &[String]) -> Result<Child, NodeError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
        let mut command = self.command(&folder.join(script));
        Ok(command.args(arguments).spawn()?)
    }

    /// What a script writes to its output, given `input`, which it reads before it writes.
    ///
    /// # Errors
    /// It failed.
    pub fn run(
        &self,
        script: &str,
        arguments: &[String],
        input: &[u8],
    ) -> Result<Vec<u8>, NodeError> {
        let mut child = self.start(script, arguments)?;
        // One who stops reading says why on its error output.
        let written = child
            .stdin
            .take()
            .map_or(Ok(()), |mut stdin| stdin.write_all(input));
        let said = finish(child)?;
        written?;
        Ok(said)
    }

    fn command(&self, first: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(first)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What a script has still to say when it is told no more.
///
/// # Errors
/// It failed: what it wrote to its error output.
pub fn finish(child: Child) -> Result<Vec<u8>, NodeError> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(NodeError::Failed(said.trim().to_owned()));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_said_to_be_missing() {
        let found = Node::find("no-such-program-as-this");
        assert!(matches!(found, Err(NodeError::Missing)), "{found:?}");
    }
}
