//! Players go where their input pushes them, by the rule that their clients predict with, and look
//! where it aims. Called by `players`.

use bevy_ecs::prelude::*;

use crate::components::{Heading, Pos};
use crate::control::Control;
use crate::rule::{Mover, step};

/// Moves a player by a tick of `dt` seconds and turns them to where they aim.
pub(super) fn go(control: &Control, pos: &mut Mut<Pos>, heading: &mut Mut<Heading>, dt: f64) {
    let mut mover = Mover::from(**pos);
    step(&mut mover, control, dt);
    pos.set_if_neq(Pos::from(mover));
    heading.set_if_neq(Heading { angle: control.aim });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

    #[test]
    fn a_player_moves_by_the_shared_rule() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        let control = Control {
            dx: 1.0,
            dy: -0.5,
            aim: 2.0,
            ..Control::default()
        };
        let mut expected = Mover::from(*scene.of::<Pos>(player));
        scene.hold(player, control);
        for _ in 0..20 {
            scene.tick();
            step(&mut expected, &control, 1.0 / 30.0);
            assert_eq!(*scene.of::<Pos>(player), Pos::from(expected));
        }
        assert_eq!(scene.of::<Heading>(player).angle, 2.0);
    }

    #[test]
    fn the_fallen_stay_where_they_fell() {
        let mut scene = Scene::new(1, 0);
        let player = scene.join(0);
        let before = *scene.of::<Pos>(player);
        scene.fell(player);
        scene.hold(
            player,
            Control {
                dx: 1.0,
                ..Control::default()
            },
        );
        scene.tick();
        assert_eq!(*scene.of::<Pos>(player), before);
    }
}
