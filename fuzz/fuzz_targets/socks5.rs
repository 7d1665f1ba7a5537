#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::socks5(data));
