//! What compiles is what was written.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_compiles_is_what_was_written(host in "(\\*\\.)?[a-z]{1,5}(\\.[a-z]{1,5}){0,2}", ports in prop::collection::vec(any::<u16>(), 0..4), method in "[A-Za-z]{0,8}", path in "/?[a-z*/.]{0,8}", tcp in any::<bool>()) {
        let rule = RuleConfig { host, ports, methods: vec![method], paths: vec![path], inject: None, tcp };
        let config = PolicyConfig { allow: vec![rule.clone()], ..PolicyConfig::default() };
        if let Ok(policy) = Policy::compile(&config) {
            let compiled = &policy.rules()[0];
            prop_assert!(!tcp && !compiled.ports.is_empty() && !compiled.ports.contains(&0));
            prop_assert_eq!(compiled.host.to_string(), rule.host);
            let Layer::Requests(requests) = &compiled.layer else { panic!("methods are not looked at") };
            prop_assert_eq!(requests.paths[0].to_string(), rule.paths[0].clone());
        }
    }
}
