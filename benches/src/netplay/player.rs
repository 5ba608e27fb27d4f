//! What one player feels: all that their client told, judged.

use tickwire::protocol::frame::InputHead;
use tickwire::schema::Field;
use tickwire::snapshot::fields::unpack;
use tickwire_arena::Control;

use super::case::{Case, TICK_RATE};
use super::clients::What;
use super::others::Others;
use super::own::Own;
use super::seen::find;
use super::shots::Shots;

/// Milliseconds a tick.
const PERIOD_MS: f64 = 1000.0 / TICK_RATE as f64;

/// See the module's description.
pub(super) struct Player {
    case: Case,
    /// When the room's tick 0 was, in microseconds.
    pub(super) opened_us: f64,
    /// The own avatar as events name it.
    pub(super) me: u32,
    pub(super) own: Own,
    pub(super) others: Others,
    pub(super) shots: Shots,
    /// Since the start, and before what counts.
    underruns: u32,
    underruns_before: u32,
    /// How early the newest input left, in milliseconds.
    pub(super) lead_ms: f64,
    /// The view's delay in the newest frame, in milliseconds.
    pub(super) delay_ms: f64,
}

impl Player {
    pub(super) fn new(case: Case) -> Player {
        Player {
            case,
            opened_us: 0.0,
            me: u32::MAX,
            own: Own::default(),
            others: Others::new(case.stall_ms == 0),
            shots: Shots::default(),
            underruns: 0,
            underruns_before: 0,
            lead_ms: 0.0,
            delay_ms: 0.0,
        }
    }

    /// Forgets what was counted: from now on it counts.
    pub(super) fn reset(&mut self) {
        self.own.errors.clear();
        self.own.corrections = 0;
        self.others.fastest = 0.0;
        self.others.late_ms.clear();
        self.underruns_before = self.underruns;
    }

    /// Times that the view of the others went ahead of the newest snapshot.
    pub(super) fn underruns(&self) -> u32 {
        self.underruns - self.underruns_before
    }

    /// An input left, as its message says. `fields` are the arena's.
    pub(super) fn on_input(
        &mut self,
        at_us: u64,
        message: &[u8],
        from: Option<[f64; 2]>,
        fields: &[Field],
    ) {
        let (head, packed) = InputHead::decode(message).expect("an input");
        let tick = head.tick.0;
        let ahead = f64::from(tick) - self.case.tick_at_client(at_us as f64, self.opened_us);
        self.lead_ms = ahead * PERIOD_MS;
        let mut integers = Vec::new();
        unpack(fields, packed, &mut integers).expect("an input of the arena");
        let mut values = fields.iter().zip(&integers);
        let control = Control::from_values(std::array::from_fn(|_| {
            let (field, integer) = values.next().expect("the control has five fields");
            field.kind.dequantise(*integer)
        }));
        if control.fire
            && let Some(from) = from
        {
            self.shots.fire(tick, from, control.aim);
        }
        self.shots.fly(tick, self.others.picture());
    }

    /// The client told of something else.
    pub(super) fn hear(&mut self, at_us: u64, what: What) {
        match what {
            What::Sent { .. } => {}
            What::Snapshot {
                tick,
                predicted,
                corrected,
                me,
                everyone,
            } => {
                self.me = me.unwrap_or(self.me);
                if let Some(me) = find(&everyone, self.me) {
                    self.own.on_snapshot(tick, me, predicted, corrected);
                }
                self.others.on_snapshot(tick, at_us, everyone);
            }
            What::Frame {
                view,
                delay_ms,
                underruns,
                others,
            } => {
                self.underruns = underruns;
                self.delay_ms = delay_ms;
                let meant =
                    self.case.tick_at_client(at_us as f64, self.opened_us) - delay_ms / PERIOD_MS;
                self.others.on_frame(at_us, view, meant, &others);
            }
            What::Hit { tick, who, by } => {
                if let (Some(who), true) = (who, by == Some(self.me)) {
                    self.shots.on_hit(tick, who);
                }
            }
            What::Fall { tick, who } => {
                if let Some(who) = who {
                    self.shots.on_fall(tick, who);
                }
            }
        }
    }
}
