//! What a trained table must be to be taken for a schema.

use tickwire::snapshot::layout::Layout;
use tickwire::snapshot::symbols::THRESHOLDS;

use crate::history::trained_game;

#[test]
fn a_table_is_taken_only_if_all_of_it_can_be_coded_by() {
    let (schema, sound) = trained_game();
    let set = Layout::new(&schema, &sound)
        .expect("the schema is sound")
        .room;
    let size = sound.layers[0].len();
    let (gains, thresholds) = (set.prior.len(), size - THRESHOLDS);
    for (at, wrong, why) in [
        (0, 3 << 4, "odds"),
        (gains, 65, "a gain"),
        (thresholds, 0, "do not rise"),
        (thresholds + 1, sound.layers[0][thresholds], "do not rise"),
        (size - 1, 1 << 15, "do not rise"),
    ] {
        let mut tables = sound.clone();
        tables.layers[0][at] = wrong;
        let refused = Layout::new(&schema, &tables).expect_err("it is wrong");
        assert!(refused.contains(why), "{refused}");
    }
    let mut tables = sound.clone();
    tables.layers[0].pop();
    let refused = Layout::new(&schema, &tables).expect_err("one is missing");
    assert!(refused.contains("another schema"), "{refused}");
}
