#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tickwire_server::fuzzing::checkpoint(bytes));
