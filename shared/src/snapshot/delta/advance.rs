//! The next image of a layer of which a snapshot says nothing: all in it went as predicted
//! (`PROTOCOL.md` §7). Called by who holds layers, for those without a body.

use super::restore::{aim, settle};
use super::{Scratch, Span};
use crate::ids::Tick;
use crate::limits::BASELINE_BACK_MAX;
use crate::snapshot::DecodeError;
use crate::snapshot::column_set::ColumnSet;
use crate::snapshot::image::LayerImage;

/// Takes an image to `tick`, as by a steady body in which nobody comes or goes and no residual is
/// there.
///
/// # Errors
/// `tick` is no later, or too much later for a baseline; the image is as it was.
pub fn advance(
    set: &ColumnSet,
    tick: Tick,
    image: &mut LayerImage,
    scratch: &mut Scratch,
) -> Result<(), DecodeError> {
    let dt = tick.since(image.tick);
    if !(1..=BASELINE_BACK_MAX).contains(&dt) {
        return Err(DecodeError::WrongBaseline);
    }
    let span = Span {
        dt,
        baseline_gap: image.gap,
        gap: dt,
    };
    let (from, count) = (image.view(), image.entities.len());
    let Scratch {
        kept, work, next, ..
    } = scratch;
    (next.tick, next.gap) = (tick, dt);
    next.entities.clone_from(&image.entities);
    next.values.clear();
    next.values.resize(image.values.len(), 0);
    kept.clear();
    kept.extend((0..count as u32).map(|at| (at, at)));
    work.residuals.clear();
    work.residuals.resize(count * set.residual_width(), 0);
    aim(set, from, span, kept, next, work);
    // Where it looks for tables it put some, which are no residuals.
    settle(set, from, span, next, work);
    std::mem::swap(image, next);
    Ok(())
}
