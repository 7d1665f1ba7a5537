use super::*;

#[test]
fn what_is_asked_for_has_one_order_and_no_repetitions() {
    let one = RequiredPackages::parse(Registry::Pypi, &["b", "a>=1", "B", "a <2"]).unwrap();
    let other = RequiredPackages::parse(Registry::Pypi, &["a<2", "a>=1", "b"]).unwrap();
    assert_eq!(one, other);
    assert_eq!(one.lines(), ["a<2", "a>=1", "b"]);
    let node = RequiredPackages::parse(Registry::Npm, &["b", "@a/c@1", "b@*"]).unwrap();
    assert_eq!(node.lines(), ["@a/c@1", "b@*"]);
    assert_eq!(node.registry(), Registry::Npm);
}

#[test]
fn a_package_of_npm_has_one_range() {
    let error = RequiredPackages::parse(Registry::Npm, &["a@1", "a@2"]).unwrap_err();
    assert_eq!(
        error,
        PackageError::Twice {
            name: "a".to_owned()
        }
    );
}

#[test]
fn requests_are_bounded() {
    let many = vec!["a"; MAX_REQUIREMENTS + 1];
    let error = RequiredPackages::parse(Registry::Pypi, &many).unwrap_err();
    assert_eq!(error, PackageError::TooMany { count: 65 });
    let long = format!("a{}", " ".repeat(MAX_REQUIREMENT_BYTES));
    assert!(RequiredPackages::parse(Registry::Pypi, &[long]).is_err());
    assert!(
        RequiredPackages::parse::<&str>(Registry::Pypi, &[])
            .unwrap()
            .is_empty()
    );
}
