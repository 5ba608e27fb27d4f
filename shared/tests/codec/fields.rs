//! Fields: value to integer and back, within half a step, for every kind.

use proptest::prelude::*;
use tickwire::schema::{Audience, Component, Field, Kind, Predictor, Schema};
use tickwire::snapshot::fields::{pack, unpack};

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

#[test]
fn a_layer_of_too_many_columns_is_refused_by_name() {
    let of = |name: &str, texts: usize| Component {
        name: name.to_owned(),
        audience: Audience::Owner,
        predicted: false,
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
    assert_eq!(schema.check(), Ok(()), "448 columns");
    schema.components.push(of("more", 1));
    let error = schema.check().expect_err("16 columns more");
    assert!(error.starts_with("layer 1: 464 columns"), "{error}");
}
