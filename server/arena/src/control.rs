//! What a player asks for in one tick. Not how it travels: its fields are declared in the
//! server's schema, in this order and with these ranges.

use tickwire::exact::clamp;

/// A player's input of one tick, as decoded. The default is neutral: stand, hold fire.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Control {
    /// Share of full speed to the right, -1 to 1, in steps of 1/64.
    pub dx: f64,
    /// Share of full speed down the screen, -1 to 1, in steps of 1/64.
    pub dy: f64,
    /// Where to look and shoot: radians clockwise on the screen from "right", 4,096 directions.
    pub aim: f64,
    /// The trigger is held.
    pub fire: bool,
    /// Reload before the magazine is empty.
    pub reload: bool,
}

/// Step of [`Control::dx`] and [`Control::dy`]; a power of two, so 0 and both ends are exact.
pub const PUSH_STEP: f64 = 1.0 / 64.0;

/// Directions that [`Control::aim`] tells apart: at 600 units half a unit.
pub const AIM_STEPS: u32 = 4096;

impl Control {
    /// Names of the input's fields, in the schema's order.
    pub const FIELDS: [&'static str; 5] = ["dx", "dy", "aim", "fire", "reload"];

    /// The values of [`Control::FIELDS`], flags as 0 and 1: what a client encodes.
    pub fn values(&self) -> [f64; 5] {
        [
            self.dx,
            self.dy,
            self.aim,
            f64::from(u8::from(self.fire)),
            f64::from(u8::from(self.reload)),
        ]
    }

    /// The control with these [`Control::FIELDS`], as decoded from the wire.
    pub fn from_values(values: [f64; 5]) -> Control {
        let [dx, dy, aim, fire, reload] = values;
        Control {
            dx: clamp(dx, -1.0, 1.0),
            dy: clamp(dy, -1.0, 1.0),
            aim,
            fire: fire != 0.0,
            reload: reload != 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_there_and_back() {
        let control = Control {
            dx: -0.5,
            dy: 1.0,
            aim: 2.0,
            fire: true,
            reload: false,
        };
        assert_eq!(Control::from_values(control.values()), control);
        assert_eq!(Control::from_values([0.0; 5]), Control::default());
    }
}
