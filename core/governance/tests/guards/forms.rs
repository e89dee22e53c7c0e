//! Which guards there can be.

use knhk_governance::guard::Guards;

/// Guards that cannot be are refused when they are read: with the guard, what is wrong and what to do.
#[test]
fn guards_that_cannot_be_are_refused() {
    for (rule, says) in [
        ("kind = \"safety_interlock\"", "g: it guards nothing; a safety_interlock has limit or interlock"),
        ("kind = \"safety_interlock\"\nlimit = [{ paths = [\"a\"] }]", "a limit says nothing"),
        ("kind = \"safety_interlock\"\nlimit = [{ paths = [], max = 1 }]", "it names no paths"),
        (
            "kind = \"safety_interlock\"\nlimit = [{ paths = [\"a\"], min = 2, max = 1.5 }]",
            "its least value, 2, is above its most, 1.5",
        ),
        ("kind = \"safety_interlock\"\nlimit = [{ paths = [\"a\"], max = nan }]", "no bound"),
        ("kind = \"safety_interlock\"\nlimit = [{ paths = [\"a\"], max_step = -0.1 }]", "it is a share, such as 0.25"),
        ("kind = \"safety_interlock\"\nlimit = [{ paths = [\"a\"], maximum = 1 }]", "unknown field `maximum`"),
        (
            "kind = \"safety_interlock\"\nbound = [{ figure = \"read_ns\", max = 1.0 }]",
            "a safety_interlock has no bound; that is of a performance_bound",
        ),
        ("kind = \"performance_bound\"\nbound = [{ figure = \"read_ns\" }]", "neither min nor max"),
        ("kind = \"approval_chain\"\nchain = { paths = [\"a\"], steps = [] }", "its chain has 0 steps"),
        (
            "kind = \"data_residency\"\nresidency = [{ allowed = [\"eu\"] }]",
            "residency is of paths, or of a class and a property together",
        ),
        ("kind = \"data_residency\"\nkeep = [{}]", "keep says nothing"),
        ("kind = \"compliance_rule\"\ncompliance = {}", "compliance says nothing"),
        ("kind = \"compliance_rule\"\ncompliance = { shapes = \"<a> <b>\" }", "shapes: "),
        ("kind = \"compliance_rule\"\ncompliance = { shapes = \"<a> <b> <c> .\" }", "there is no shape in it"),
        ("kind = \"compliance_rule\"\ncompliance = { required = \"[] <b> <c> .\" }", "a statement about a blank node"),
        ("kind = \"courage\"", "unknown variant `courage`"),
        (
            "kind = \"compliance_rule\"\nlongest_seconds = 0\ncompliance = { required = \"<a> <b> <c> .\" }",
            "longest_seconds is 0",
        ),
    ] {
        let toml = format!("revision = 1\n[[guard]]\nid = \"g\"\ncriticality = \"low\"\n{rule}");
        let refused = Guards::from_toml(&toml).expect_err(rule).to_string();
        assert!(refused.contains(says), "{rule}: {refused}");
    }
    let one = "[[guard]]\nid = \"g\"\ncriticality = \"low\"\nkind = \"data_residency\"\nkeep = [{ subject = \"a\" }]\n";
    let refused = Guards::from_toml(&format!("revision = 1\n{one}{one}")).expect_err("two of one name");
    assert_eq!(refused.to_string(), "this is no set of guards: guard g is there twice");
    let refused = Guards::from_toml(&"#".repeat((1 << 20) + 1)).expect_err("too long").to_string();
    assert!(refused.contains("at most 1048576"), "{refused}");
}
