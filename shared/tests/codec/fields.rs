//! Fields: value to integer and back, within half a step, for every kind.

use proptest::prelude::*;
use tickwire::schema::{Audience, Component, Field, Kind, Predicted, Predictor, Schema, Tables};
use tickwire::snapshot::fields::{pack, unpack};
use tickwire::snapshot::layout::Layout;

use crate::history::schema;

proptest! {
    #[test]
    fn a_real_comes_back_within_half_a_step(
        min in -1000.0f64..1000.0,
        span in 0.1f64..2000.0,
        step in 0.001f64..1.0,
        at in -0.2f64..1.2,
    ) {
        let kind = Kind::Real { min, max: min + span, step };
        let value = min + span * at;
        let q = kind.quantise(value);
        let back = kind.dequantise(q);
        let clamped = value.clamp(min, min + span);
        prop_assert!((back - clamped).abs() <= step * 0.5 + 1e-9, "{value} -> {q} -> {back}");
        prop_assert_eq!(kind.quantise(back), q);
    }

    #[test]
    fn what_is_snapped_to_a_grid_stays_there_by_any_arithmetic(
        shift in 0u32..=20,
        least in -(1i64 << 31)..=1 << 31,
        span in 0.5f64..1e6,
        at in -0.1f64..1.1,
    ) {
        let step = 1.0 / f64::from(1u32 << shift);
        let min = (least as f64 * step).clamp(-1e9, 1e9);
        let span = span.min(2e9 * step);
        let schema = on_grid(Kind::Real { min, max: min + span, step });
        let layout = Layout::new(&schema, &Tables::default()).expect("the schema is sound");
        prop_assert_eq!(layout.owner.width(), 0);
        let column = &layout.room.columns[0];
        let value = min + span * at;
        let q = column.quantise(value);
        // What JavaScript and every client do divides.
        prop_assert_eq!(column.kind.quantise(value), q);
        let snapped = column.kind.dequantise(q);
        prop_assert_eq!(column.quantise(snapped), q);
        prop_assert_eq!(column.kind.quantise(snapped), q);
        prop_assert_eq!(snapped.to_bits(), column.kind.dequantise(q).to_bits());
        prop_assert_eq!((snapped / step).fract(), 0.0);
    }

    #[test]
    fn any_number_is_in_range(value: f64) {
        for kind in [
            Kind::Real { min: -3.0, max: 4.0, step: 0.25 },
            Kind::Int { min: i32::MIN, max: i32::MAX },
            Kind::Int { min: -7, max: 12 },
            Kind::Bool,
            Kind::Turn { steps: 256 },
            Kind::Enum { names: vec!["a".into(), "b".into(), "c".into()] },
        ] {
            prop_assert!(kind.quantise(value) as u32 <= kind.q_max(), "{kind:?} {value}");
        }
    }

    #[test]
    fn packed_fields_come_back(seed: u64, tail in proptest::collection::vec(any::<u8>(), 0..9)) {
        let fields = schema().input;
        let values: Vec<i32> = fields
            .iter()
            .enumerate()
            .map(|(at, field)| {
                let range = u64::from(field.kind.q_max()) + 1;
                ((seed >> (8 * at)) % range) as u32 as i32
            })
            .collect();
        let mut bytes = Vec::new();
        pack(&fields, &values, &mut bytes);
        bytes.extend(&tail);
        let mut read = Vec::new();
        prop_assert_eq!(unpack(&fields, &bytes, &mut read), Ok(&tail[..]));
        prop_assert_eq!(read, values);
    }
}

#[test]
fn nan_becomes_the_least_value() {
    assert_eq!(
        Kind::Real {
            min: 2.0,
            max: 4.0,
            step: 1.0
        }
        .quantise(f64::NAN),
        0
    );
    assert_eq!(Kind::Int { min: 2, max: 4 }.quantise(f64::NAN), 0);
    assert_eq!(Kind::Turn { steps: 4 }.quantise(f64::NAN), 0);
    assert_eq!(Kind::Bool.quantise(f64::NAN), 0);
}

/// A game whose owner predicts one field on its grid.
fn on_grid(kind: Kind) -> Schema {
    Schema {
        components: vec![Component {
            name: "pos".to_owned(),
            audience: Audience::Everyone,
            predicted: Predicted::Grid,
            fields: vec![Field {
                name: "x".to_owned(),
                kind,
                predictor: Predictor::Linear,
            }],
        }],
        ..Schema::default()
    }
}

#[test]
fn a_grid_to_which_both_ends_might_snap_differently_is_refused_by_name() {
    let real = |min: f64, max: f64, step: f64| on_grid(Kind::Real { min, max, step }).check();
    for (min, max, step) in [
        (0.0, 1000.0, 1.0 / 128.0),
        (-0.25, 9.9, 0.125),
        (-(2f64.powi(31)), 1.0 - 2f64.powi(31), 2f64.powi(-20)),
        (3.0, 7.0, 1.0),
    ] {
        assert_eq!(real(min, max, step), Ok(()), "{min} {max} {step}");
    }
    let almost = 2f64.powi(-10) * (1.0 - 2f64.powi(-53));
    for step in [0.01, 0.75, 2.0, 2f64.powi(-21), 3.0 / 1024.0, almost] {
        let error = real(0.0, 9.0, step).expect_err("no power of two");
        assert!(
            error.starts_with("component \"pos\", field \"x\": a field predicted on its grid"),
            "{error}"
        );
    }
    for min in [0.3, 1.0 / 16.0, -(2f64.powi(31)) - 1.0] {
        let error = real(min, min + 1.0, 0.125).expect_err("off the grid");
        assert!(error.contains("the least value of a field"), "{error}");
    }
    // What is no real number is as it is.
    assert_eq!(on_grid(Kind::Turn { steps: 8 }).check(), Ok(()));
}

#[test]
fn only_what_everyone_sees_is_predicted() {
    for predicted in [Predicted::Fine, Predicted::Grid] {
        let mut schema = on_grid(Kind::Bits);
        schema.components[0].predicted = predicted;
        schema.components[0].audience = Audience::Team;
        let error = schema.check().expect_err("a team's");
        assert!(error.contains("only what everyone sees"), "{error}");
    }
}

#[test]
fn a_layer_of_too_many_columns_is_refused_by_name() {
    let of = |name: &str, texts: usize| Component {
        name: name.to_owned(),
        audience: Audience::Owner,
        predicted: Predicted::No,
        fields: (0..texts)
            .map(|number| Field {
                name: format!("text{number}"),
                kind: Kind::Text { bytes: 64 },
                predictor: Predictor::Hold,
            })
            .collect(),
    };
    let mut schema = Schema {
        components: vec![of("many", 28)],
        ..Schema::default()
    };
    assert!(
        Layout::new(&schema, &Tables::default()).is_ok(),
        "448 columns"
    );
    schema.components.push(of("more", 1));
    let error = Layout::new(&schema, &Tables::default()).expect_err("16 columns more");
    assert!(error.starts_with("layer 1: 464 columns"), "{error}");
}
