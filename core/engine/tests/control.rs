//! The control socket through the engine's life, and folders opened read-only.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use knhk_engine::control::{Access, Content, Live, Promote, Sectors};
use knhk_engine::{Engine, Options, Origin, SectorKind, Status};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    fn open(&self) -> Engine {
        let mut options = Options::default();
        options.control = true;
        let engine = Engine::open(self.0.to_str().unwrap(), options).unwrap();
        _ = engine.create_sector("orders", SectorKind::Direct);
        engine
    }

    fn socket(&self) -> PathBuf {
        self.0.join("control")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_engine_that_is_dropped_or_closed_ends_its_connections() {
    let scratch = Scratch::new("ends");
    for closes in [true, false] {
        let engine = scratch.open();
        let mut idle = Live::connect(&scratch.0).unwrap().unwrap();
        assert_eq!(idle.ask(&Sectors {}).unwrap()[0].name, "orders");
        if closes {
            engine.close();
        }
        drop(engine);
        assert!(!scratch.socket().exists());
        assert_eq!(idle.ask(&Sectors {}).unwrap_err().status(), Some(Status::Closed));
        assert!(Live::connect(&scratch.0).unwrap().is_none());
    }
}

#[test]
fn a_connection_may_hold_the_last_handle_of_its_engine() {
    let scratch = Scratch::new("last");
    let values: Vec<String> = (0..2000).map(|n| format!("\"value_{n}\": {n}")).collect();
    let text = format!("{{{}}}", values.join(","));
    for _ in 0..20 {
        let engine = scratch.open();
        let mut live = Live::connect(&scratch.0).unwrap().unwrap();
        let content = Content::Document { text: text.clone(), format: None };
        let request = Promote {
            sector: "orders".into(),
            content,
            create: false,
            by: String::new(),
            why: String::new(),
            major: false,
        };
        let sender = std::thread::spawn(move || live.ask(&request));
        // Before, while or after it is served: whichever it is, both end.
        drop(engine);
        match sender.join().unwrap() {
            Ok(changed) => assert!(changed.version.is_some()),
            Err(failure) => assert_eq!(failure.status(), Some(Status::Closed), "{failure}"),
        }
    }
}

#[test]
fn a_forked_child_leaves_the_socket_to_its_parent() {
    let scratch = Scratch::new("fork");
    let engine = scratch.open();
    // SAFETY: the child drops what it inherited, which is what is tested, and ends without running anything else.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(engine);
        // SAFETY: ends the process.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    assert!(Live::connect(&scratch.0).unwrap().unwrap().ask(&Sectors {}).is_ok());
}

#[test]
fn a_peer_that_leaves_does_not_end_the_program() {
    let scratch = Scratch::new("leaves");
    let _engine = scratch.open();
    // As in a program in C or Go, which a write to a closed pipe ends; a program in Rust has it ignored.
    // SAFETY: the default action of a signal is set, no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let mut peer = UnixStream::connect(scratch.socket()).unwrap();
    for _ in 0..64 {
        // The engine may have ended the connection at its first answer.
        _ = peer.write_all(b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"v1.sectors\"}\n");
    }
    drop(peer);
    assert!(Live::connect(&scratch.0).unwrap().unwrap().ask(&Sectors {}).is_ok());
}

#[test]
fn control_needs_a_folder_of_ones_own() {
    let mut options = Options::default();
    options.control = true;
    let refused = Engine::open(":memory:", options.clone()).err().unwrap();
    assert_eq!(refused.status(), Status::InvalidArgument);
    let scratch = Scratch::new("own");
    drop(scratch.open());
    let refused = Engine::open_read_only(scratch.0.to_str().unwrap(), options).err().unwrap();
    assert_eq!(refused.status(), Status::InvalidArgument);
}

#[test]
fn a_still_picture_changes_nothing_and_does_not_change() {
    let scratch = Scratch::new("picture");
    let location = scratch.0.to_str().unwrap();
    assert_eq!(Engine::open_read_only(location, Options::default()).err().unwrap().status(), Status::NotFound);
    assert!(!scratch.0.exists());
    let engine = scratch.open();
    engine.promote_json("orders", r#"{"max_qty": 1}"#, Origin::default()).unwrap();
    engine.promote_json("orders", r#"{"max_qty": 2}"#, Origin::default()).unwrap();

    let receipts = |engine: &Engine| engine.receipts(&Default::default()).unwrap().len();
    let before = receipts(&engine);
    let picture = Engine::open_read_only(location, Options::default()).unwrap();
    let refused = picture.promote_json("orders", r#"{"max_qty": 3, "new": 1}"#, Origin::default()).unwrap_err();
    assert_eq!(refused.status(), Status::Io);
    assert_eq!(picture.create_sector("routes", SectorKind::Direct).unwrap_err().status(), Status::Io);
    assert_eq!(picture.rollback("orders", 1, Origin::default()).unwrap_err().status(), Status::Io);
    assert_eq!(picture.declare_json("orders", "{}").unwrap_err().status(), Status::Io);
    assert_eq!(picture.checkpoint().unwrap_err().status(), Status::Io);
    assert_eq!(picture.tag("orders", "stable", "current", "").unwrap_err().status(), Status::Io);
    assert_eq!(picture.rotate_key(None).unwrap_err().status(), Status::Io);
    assert_eq!(receipts(&engine), before);
    assert_eq!(engine.sectors().unwrap().len(), 1);
    picture.verify(&Default::default(), &mut |_| true).unwrap();

    engine.promote_json("orders", r#"{"max_qty": 3}"#, Origin::default()).unwrap();
    assert_eq!(picture.history("orders").unwrap().len(), 2);
    let mut options = Options::default();
    options.history = 1;
    let newest = Engine::open_read_only(location, options).unwrap().history("orders").unwrap();
    assert_eq!(newest.iter().map(|info| info.version).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_still_picture_shows_an_emergency_rollback_that_is_only_intended() {
    let scratch = Scratch::new("intended");
    let engine = scratch.open();
    for n in 1..=3 {
        engine.promote_json("orders", &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap();
    }
    let sql = rusqlite::Connection::open(scratch.0.join("store.sqlite")).unwrap();
    sql.execute_batch("CREATE TRIGGER refuse BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no room'); END")
        .unwrap();
    engine.emergency_rollback("orders", 1, Origin::default()).unwrap();
    let mut options = Options::default();
    options.history = 1;
    let picture = Engine::open_read_only(scratch.0.to_str().unwrap(), options).unwrap();
    let current = picture.history("orders").unwrap().pop().unwrap();
    assert_eq!((current.version, current.rollback_of), (4, Some(1)));
    assert!(picture.export_json("orders", None).unwrap().contains("\"max_qty\": 1"));
}

#[test]
fn the_same_request_is_served_here_and_by_a_live_engine() {
    let scratch = Scratch::new("same");
    fs::create_dir_all(&scratch.0).unwrap();
    let promote = |n: i64| Promote {
        sector: "orders".into(),
        content: Content::Values(vec![("max_qty".into(), n.to_string())]),
        create: true,
        by: "ops-2".into(),
        why: String::new(),
        major: false,
    };
    let mut here = Access::change(&scratch.0, Options::default()).unwrap();
    assert!(matches!(here, Access::Here(..)));
    assert!(here.ask(promote(1)).unwrap().created);
    drop(here);
    let engine = scratch.open();
    let mut live = Access::change(&scratch.0, Options::default()).unwrap();
    assert!(matches!(live, Access::Live(_)));
    let changed = live.ask(promote(2)).unwrap();
    assert_eq!(changed.changes[0].summary, "max_qty 1 → 2");
    assert_eq!(engine.history("orders").unwrap().len(), 2);
}

#[test]
fn values_set_at_the_same_time_are_all_set() {
    let scratch = Scratch::new("race");
    let engine = scratch.open();
    engine.promote_json("orders", r#"{"max_qty": {"$value": 0, "$min": 0}, "other": 0}"#, Origin::default()).unwrap();
    let set = |name: &'static str, first: i64| {
        let mut live = Live::connect(&scratch.0).unwrap().unwrap();
        std::thread::spawn(move || {
            for n in first..first + 40 {
                let content = Content::Values(vec![(name.into(), n.to_string())]);
                let request = Promote {
                    sector: "orders".into(),
                    content,
                    create: false,
                    by: String::new(),
                    why: String::new(),
                    major: false,
                };
                live.ask(&request).unwrap();
            }
        })
    };
    let setters = [set("max_qty", 100), set("max_qty", 200), set("other", 300)];
    setters.into_iter().for_each(|setter| setter.join().unwrap());
    assert_eq!(engine.history("orders").unwrap().last().unwrap().version, 121);
    let now = engine.export_json("orders", None).unwrap();
    assert!(now.contains("\"other\": 339") && now.contains("\"$min\": 0"), "{now}");
    assert!(now.contains("\"$value\": 139") || now.contains("\"$value\": 239"), "the last one set holds: {now}");
}
