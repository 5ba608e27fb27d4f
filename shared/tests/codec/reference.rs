//! Our range coder against a library's, `constriction`: the same decisions at the same odds.

use constriction::stream::Encode;
use constriction::stream::model::DefaultContiguousCategoricalEntropyModel as Model;
use constriction::stream::queue::DefaultRangeEncoder;
use tickwire::ids::LayerId;
use tickwire::snapshot::delta::{Decision, Scratch, trace};
use tickwire::snapshot::layout::Layout;
use tickwire::snapshot::range_coder::{Coder, RangeEncoder};
use tickwire::snapshot::symbols::SYMBOLS;

use crate::history::{History, trained_game};

#[test]
fn takes_no_more_bytes_than_a_library_s() {
    let (schema, tables) = trained_game();
    let layout = Layout::new(&schema, &tables).expect("the schema is sound");
    let set = layout.of(LayerId::ROOM).expect("it exists");
    let mut history = History::new(77, set, 20);
    let mut scratch = Scratch::default();
    let mut theirs = DefaultRangeEncoder::new();
    let mut bytes = Vec::new();
    let mut ours = RangeEncoder::new(&mut bytes);
    let mut least = 0.0;
    let mut before = history.step();
    for _ in 0..500 {
        let now = history.step();
        // Every body starts from the prior; one stream for all leaves out how streams end.
        let mut contexts = set.prior.clone();
        for decision in trace(set, Some(before.view()), now.view(), &mut scratch) {
            let (odds, which): (Vec<f64>, usize) = match decision {
                Decision::Bit(at, bit) => {
                    let zero = f64::from(contexts[at] >> 4) / 4096.0;
                    ours.bit(&mut contexts, at, bit);
                    (vec![zero, 1.0 - zero], usize::from(bit))
                }
                Decision::Symbol(at, symbol) => {
                    let part = |symbol| f64::from(set.symbols[at].part(symbol).1) / 32768.0;
                    ours.symbol(&set.symbols, at, symbol);
                    ((0..SYMBOLS).map(part).collect(), symbol)
                }
            };
            least -= odds[which].log2();
            let model = Model::from_floating_point_probabilities_fast(&odds, None).expect("odds");
            theirs
                .encode_symbol(which, model)
                .expect("memory does not end");
        }
        before = now;
    }
    ours.finish();
    let (ours, theirs, least) = (
        bytes.len() as f64,
        theirs.num_bits() as f64 / 8.0,
        least / 8.0,
    );
    println!("ours {ours} bytes, constriction {theirs}, entropy {least:.1}");
    assert!(ours < theirs * 1.001 + 8.0, "{ours} for {theirs}");
    // The remainder of a division of the range goes to ones, so a little less is possible.
    assert!(ours >= least * 0.999, "{ours} for {least}");
}
