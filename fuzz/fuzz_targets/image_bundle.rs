#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::image_bundle(data));
