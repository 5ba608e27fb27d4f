use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use std::cell::Cell;

use super::*;

thread_local! {
    /// Characters that were looked at, on this thread.
    pub(super) static LOOKS: Cell<usize> = const { Cell::new(0) };
}

/// What a name and a line of chat become.
fn check(text: &str, tidied: &str) {
    assert_eq!(player_name(text), tidied, "{text:?} as a name");
    assert_eq!(
        chat_line(text).as_deref(),
        Some(tidied),
        "{text:?} as a line"
    );
}

#[test]
fn names_are_tidied() {
    let check = |text: &str, name: &str| assert_eq!(player_name(text), name, "{text:?}");
    check("  Ada   Lovelace\n", "Ada Lovelace");
    check("Zoë 🦀 李", "Zoë 🦀 李");
    check("", "player");
    check(" \u{200B}\u{202E}\u{3164}\u{FEFF} ", "player");
    check("a\u{202E}b\u{200D}c\u{7}d\u{1B}[31m", "abcd[31m");
    check("a\u{A0}\u{2003}\u{3000}b", "a b");
    check("a\u{E0041}b\u{10FFFF}", "ab");
    check("<b>&amp;</b>", "<b>&amp;</b>");
    check("e\u{200D}\u{301}", "\u{E9}");
    check("\u{FB01}sh \u{FF21}\u{FF44}\u{FF41}", "fish Ada");
    check(
        "\u{FFA0}\u{FDFA}",
        "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64A}\u{647} \u{648}\u{633}\u{644}\u{645}",
    );
    check(&format!("Z{}o", "\u{335}".repeat(99)), "Z\u{335}o");
    check(&"x".repeat(99), &"x".repeat(NAME_CHARS_MAX));
    let cut = format!("{} y", "x".repeat(NAME_CHARS_MAX - 1));
    check(&cut, &"x".repeat(NAME_CHARS_MAX - 1));
}

#[test]
fn rooms_without_a_name_are_named_after_their_maker() {
    assert_eq!(room_name(" the  den ", "Ada"), "the den");
    assert_eq!(room_name("\u{200B}", "Ada"), "Ada's room");
}

#[test]
fn a_line_of_chat_is_as_it_was_typed_but_for_what_is_hidden() {
    let check = |text: &str, line: Option<&str>| {
        assert_eq!(chat_line(text).as_deref(), line, "{text:?}");
    };
    check("  hello,   world ", Some("hello, world"));
    check(
        "two\nlines\u{2028}and\u{2029}more",
        Some("two lines and more"),
    );
    check("x² + ½ = ① ﬁ Ａ ™", Some("x² + ½ = ① ﬁ Ａ ™"));
    check("", None);
    check(" \t\u{200B}\u{202E}\u{E0041}\u{FFFF} ", None);
    check("\u{2800}\u{3164}\u{1160}", None);
    let long = "é".repeat(CHAT_CHARS_MAX);
    check(&long, Some(&long));
    check(&format!("{long}x"), None);
    let spelt = "e\u{301}\u{200B}".repeat(CHAT_CHARS_MAX);
    check(&spelt, Some(&long));
}

#[test]
fn what_is_hidden_goes_wherever_it_stands() {
    let hidden = (0..=0x10FFFF)
        .filter_map(char::from_u32)
        .filter(|c| is_hidden(*c) && !c.is_whitespace());
    let (private, other): (Vec<char>, Vec<char>) =
        hidden.partition(|c| c.general_category() == GeneralCategory::PrivateUse);
    assert_eq!(private.len(), 137_468);
    assert!(other.len() > 4096 + 100, "{}", other.len());
    for c in private.into_iter().step_by(97).chain(other) {
        check(&format!("{c}a{c}b{c}"), "ab");
        assert_eq!(chat_line(&c.to_string().repeat(3)), None, "{c:?}");
    }
    for c in [
        '\u{202A}',
        '\u{202B}',
        '\u{202C}',
        '\u{202D}',
        '\u{202E}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{200E}',
        '\u{200F}',
        '\u{61C}',
        '\u{200B}',
        '\u{2060}',
        '\u{FEFF}',
        '\u{AD}',
        '\u{E0001}',
        '\u{E007F}',
        '\u{E000}',
        '\u{F8FF}',
        '\u{FFFE}',
        '\u{FDD0}',
        '\u{1FFFF}',
        '\u{10FFFD}',
        '\u{FFF9}',
        '\u{FFFC}',
        '\u{0}',
        '\u{1B}',
        '\u{7F}',
        '\u{9B}',
    ] {
        assert!(is_hidden(c), "{c:?}");
    }
}

#[test]
fn languages_keep_their_marks_and_joiners() {
    for text in [
        "Việt Nam, tiếng Việt",
        "pʰɔ̃̀ ŋ̊",
        "Ὀδυσσεύς, ᾧ",
        "й ё ѷ",
        "น้ำ ที่ ปู่ กี่",
        "ຊື່ ນ້ຳ ກຳ",
        "שָׁלוֹם שּׁבָּת",
        "בְּרֵאשִׁ֖ית",
        "مُحَمَّدٌ اللّٰه",
        "می\u{200C}خواهم",
        "خانه\u{200C}ها آزاد\u{200C}راه",
        "ه\u{200D}.ق",
        "क्षत्रिय हिन्दी ज़िंदगी फ़ँ",
        "क\u{94D}\u{200D}ष क\u{94D}\u{200C}ष",
        "र\u{94D}\u{200D}य",
        "र\u{9CD}\u{200D}য র\u{200D}\u{9CD}য\u{9BE}ব",
        "বাংলা কৃষ্ণ",
        "ਪੰਜਾਬੀ ਸ਼੍ਰੀ",
        "ગુજરાતી",
        "தமிழ் க்ஷ",
        "సాఫ్ట\u{C4D}\u{200C}వేర్",
        "ರ\u{CB0}\u{200D}\u{CCD}ಕ",
        "ന\u{D4D}\u{200D} മലയാളം",
        "ශ\u{DCA}\u{200D}රී ලංකා",
        "ကျွန်ုပ် မြွှို့",
        "ភាសាខ្មែរ ស្ត្រី",
        "བསྒྲུབས་ ཧཱུྃ",
        "ᠮᠣᠩᠭᠣᠯ ᠬᠠᠷ\u{180E}ᠠ",
        "ߒߞߏ ߓߏ߬",
        "𞤀𞤣𞤤𞤢𞤥",
        "አማርኛ Հայերեն ქართული",
        "한국어 日本語 中文 カタカナ",
        "葛\u{E0100}城 辻\u{E0101}",
        "ދިވެހި",
        "ᱥᱟᱱᱛᱟᱲᱤ ꯃꯤꯇꯩ",
    ] {
        let nfc: String = text.nfc().collect();
        assert_eq!(chat_line(text), Some(nfc.clone()), "{text:?}");
        let decomposed: String = text.nfd().collect();
        assert_eq!(chat_line(&decomposed), Some(nfc), "{text:?} decomposed");
        for word in text.split(' ') {
            let nfkc: String = word.nfkc().collect();
            assert_eq!(player_name(word), nfkc, "{word:?} as a name");
        }
    }
}

#[test]
fn emoji_stay_whole() {
    for text in [
        "👨\u{200D}👩\u{200D}👧\u{200D}👦",
        "👩🏽\u{200D}🚀",
        "🏳\u{FE0F}\u{200D}🌈",
        "🏴\u{200D}☠\u{FE0F}",
        "❤\u{FE0F}\u{200D}🔥",
        "👁\u{FE0F}\u{200D}🗨\u{FE0F}",
        "🧑\u{200D}🦰 🐻\u{200D}❄\u{FE0F}",
        "🙂\u{200D}↔\u{FE0F}",
        "👩\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨",
        "1\u{FE0F}\u{20E3} #\u{FE0F}\u{20E3}",
        "🇩🇪🇺🇦 ✌🏿",
        "☺\u{FE0F} ☺\u{FE0E}",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}!",
        "🏴\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
    ] {
        check(text, text);
    }
}

#[test]
fn what_only_looks_like_such_a_sequence_is_none() {
    check("a\u{200D}b c\u{200C}d", "ab cd");
    check("🐶\u{200D}", "🐶");
    check("\u{200D}🐶", "🐶");
    check("a\u{200D}🐶\u{200D}b", "a🐶b");
    check("🐶\u{200C}🐱", "🐶🐱");
    check("🐶\u{200D}\u{200D}🐱", "🐶\u{200D}🐱");
    check("1\u{FE0F}2\u{FE0E}", "12");
    check("a\u{FE0F}b\u{FE00}", "ab");
    check("☺\u{FE0F}\u{FE0F}\u{FE0E}", "☺\u{FE0F}");
    check("漢\u{E0100}\u{E0101}", "漢\u{E0100}");
    check("a\u{E0100}", "a");
    check("می\u{200C}\u{200C}\u{200D}خواهم", "می\u{200C}خواهم");
    check("می\u{200C} x", "می x");
    check("क\u{200D}a", "कa");
    check("क\u{94D}\u{200C}", "क\u{94D}");
    // Texas has a flag, but no font: hidden text could stand there.
    check("🏴\u{E0075}\u{E0073}\u{E0074}\u{E0078}\u{E007F}", "🏴");
    check("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}", "🏴");
    check(
        "x\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "x",
    );
}

#[test]
fn marks_do_not_pile_up() {
    check("Z\u{310}\u{311}\u{312}\u{313}", "Z\u{310}\u{311}");
    check("ก\u{E47}\u{E47}\u{E47}\u{E47}", "ก\u{E47}");
    check(
        "ก\u{E34}\u{E48}\u{E4C}\u{E47}\u{E4D}",
        "ก\u{E34}\u{E48}\u{E4C}",
    );
    check("a\u{E47}\u{591}\u{64B}\u{94D}", "a\u{E47}\u{94D}");
    check("\u{301}\u{302}a", "a");
    check("a \u{301}b", "a b");
    check("🐶\u{301}\u{302}\u{303}", "🐶\u{301}\u{302}");
    let zalgo: String = "HE COMES"
        .chars()
        .flat_map(|c| std::iter::once(c).chain((0x300..0x330).filter_map(char::from_u32)))
        .collect();
    let line = chat_line(&zalgo).unwrap();
    assert!(line.chars().count() <= 3 * 8, "{line}");
    // Behind joiners that are kept, too.
    let behind = "ی\u{64E}\u{651}\u{670}\u{200D}\u{64B}\u{64C}\u{64D}";
    assert_eq!(chat_line(behind).unwrap().chars().count(), 5);
}

#[test]
fn a_name_is_not_cut_within_what_is_seen_as_one() {
    let family = "👨\u{200D}👩\u{200D}👧\u{200D}👦";
    let name = player_name(&family.repeat(9));
    assert_eq!(name, family.repeat(NAME_CHARS_MAX / 7));
    let flags = player_name(&format!("x{}", "🇩🇪".repeat(99)));
    assert_eq!(flags, format!("x{}", "🇩🇪".repeat((NAME_CHARS_MAX - 1) / 2)));
    let letters = format!("{}e\u{335}\u{301}", "x".repeat(NAME_CHARS_MAX - 1));
    assert_eq!(player_name(&letters), "x".repeat(NAME_CHARS_MAX - 1));
    // One alone that is longer than a name is cut all the same, and nothing is left at its end.
    let endless = player_name(&["🐶"; 99].join("\u{200D}"));
    assert!(
        endless.starts_with("🐶") && endless.ends_with('🐶'),
        "{endless:?}"
    );
    assert!(endless.chars().count() <= NAME_CHARS_MAX);
}

/// A message has room for 4,096 of them, and a line of chat is tidied between two ticks.
#[test]
fn a_text_that_is_full_of_hidden_characters_costs_no_more_than_its_length() {
    for hidden in [
        "\u{1}",
        "\u{AD}",
        "\u{200B}",
        "\u{200C}",
        "\u{200D}",
        "\u{FE0E}",
        "\u{FE0F}",
        "\u{180B}",
        "\u{180E}",
        "\u{E0041}",
        "\u{E0100}",
    ] {
        for before in ["a", "1", "ی", "क\u{94D}", "🐶", "漢", "ᠠ"] {
            let text = before.to_owned() + &hidden.repeat(4000 / hidden.len());
            for tidied in [
                |text: &str| drop(player_name(text)),
                |text: &str| drop(chat_line(text)),
            ] {
                let at = LOOKS.get();
                tidied(&text);
                let (looks, chars) = (LOOKS.get() - at, text.chars().count());
                assert!(
                    looks <= 25 * chars,
                    "{looks} for {chars}: {before:?} {hidden:?}"
                );
            }
        }
    }
    // Nor behind marks without end.
    let marks = "\u{64E}".repeat(20);
    check(&format!("ی{marks}\u{200C}خ"), "ی\u{64E}خ");
}

/// Of any text: tidied once it stays as it is, within its bounds, and has nothing hidden that is
/// not needed.
#[test]
fn tidied_text_is_tidy() {
    let interesting: Vec<char> = "ab1# é\u{301}\u{302}\u{335}\u{20E3}\u{345}\u{313}🐶👨🏽🇩❤️\u{200D}\u{200C}\u{FE0F}\u{FE0E}\u{202E}\u{2028}کمه\u{64E}\u{651}\u{670}\u{FDFA}\u{FE70}क\u{94D}\u{93F}\u{93C}\u{902}র\u{9CD}\u{9AF}ശ\u{D4D}ก\u{E33}\u{E49}\u{E47}漢\u{E0100}\u{FE00}\u{1100}\u{1161}\u{11A8}\u{1160}\u{3164}\u{FFA0}ᠠ\u{180B}\u{180E}\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}ｶﾞ\u{F900}\u{BB}´ﬁⅣ\u{2F00}\u{F73}\u{F71}\u{344}"
        .chars()
        .collect();
    for seed in 0..40u64 {
        let mut rng = StdRng::seed_from_u64(seed);
        for _ in 0..100 {
            let length = rng.random_range(0..40);
            let text: String = (0..length)
                .map(|_| match rng.random_range(0..4) {
                    0 => rng.random::<char>(),
                    _ => interesting[rng.random_range(0..interesting.len())],
                })
                .collect();
            let name = player_name(&text);
            assert_eq!(player_name(&name), name, "seed {seed}: {text:?}");
            assert!(
                name.chars().count() <= NAME_CHARS_MAX,
                "seed {seed}: {text:?}"
            );
            assert_eq!(name.trim(), name, "seed {seed}: {text:?}");
            let Some(line) = chat_line(&text) else {
                continue;
            };
            assert_eq!(
                chat_line(&line),
                Some(line.clone()),
                "seed {seed}: {text:?}"
            );
            assert!(
                !line.contains(['\u{202E}', '\u{2028}']),
                "seed {seed}: {text:?}"
            );
        }
    }
}
