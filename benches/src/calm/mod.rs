//! Figures that hold on machines with other things to do: how busy the machine was by others while
//! something was measured, samples that are taken again where it was too busy, and ratios to a
//! reference work that is measured in turn. Called by the yardsticks.
//!
//! - `alternate`: one sample of two works in turn.
//! - `machine`: what `/proc/stat` and the processes' own accounts say.
//! - `repeat`: samples, the calm ones of them, and their ratios. Knows neither clocks nor the
//!   system.
//! - `wait`: waiting for a calm time, bounded.

mod alternate;
mod machine;
mod repeat;
mod wait;

pub use alternate::alternate;
pub use machine::{Cores, Spent, Watch, machine_spent, process_spent};
pub use repeat::{OTHERS_MAX, Pair, Patience, Ratio, Repeated, is_calm, repeat};
pub use wait::{Waited, until_calm};
