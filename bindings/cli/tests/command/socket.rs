//! The socket itself: who may use it, and what it answers to whatever is sent.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;

use serde_json::{Value, json};

use crate::scratch::{Scratch, text};

struct Peer(BufReader<UnixStream>);

impl Peer {
    fn new(scratch: &Scratch) -> Peer {
        // A long path to the tests' folder does not fit into an address; one through the open folder does.
        let folder = fs::File::open(&scratch.0).unwrap();
        let path = format!("/proc/self/fd/{}/control", std::os::fd::AsRawFd::as_raw_fd(&folder));
        Peer(BufReader::new(UnixStream::connect(path).unwrap()))
    }

    fn send(&mut self, line: &[u8]) -> Value {
        self.0.get_mut().write_all(line).unwrap();
        self.0.get_mut().write_all(b"\n").unwrap();
        self.hear()
    }

    fn hear(&mut self) -> Value {
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string().as_bytes())
    }
}

#[test]
fn a_stranger_can_speak_the_protocol() {
    let scratch = Scratch::new("protocol");
    let live = scratch.live("fresh");
    let mut peer = Peer::new(&scratch);
    let sectors = peer.ask("v1.sectors", json!({}));
    assert_eq!((&sectors["jsonrpc"], &sectors["id"]), (&json!("2.0"), &json!(7)));
    assert_eq!(sectors["result"][0]["name"], "orders");
    let content = json!({"values": [["max_qty", "2"]]});
    let changed = peer.ask("v1.promote", json!({"sector": "orders", "content": content, "by": "a stranger"}));
    assert_eq!(changed["result"]["version"]["by"], "a stranger");
    let got = peer.ask("v1.get", json!({"sector": "orders", "path": "max_qty"}));
    assert_eq!(got["result"]["parameters"][0]["leaf"]["$value"], 2);
    let refused = peer.ask("v1.rollback", json!({"sector": "orders", "version": "9"}));
    assert_eq!((&refused["error"]["code"], &refused["error"]["data"]["status"]), (&json!(100), &json!("not found")));
    assert_eq!(peer.send(br#"{"jsonrpc":"2.0","id":"a","method":"v1.sectors"}"#)["id"], "a");
    live.end();
}

#[test]
fn every_malformed_request_is_answered() {
    let scratch = Scratch::new("garbage");
    let live = scratch.live("fresh");
    let mut peer = Peer::new(&scratch);
    let deep = "[".repeat(100_000);
    for (sent, code) in [
        ("", -32700),
        ("what?", -32700),
        (deep.as_str(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v1.sectors""#, -32700),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"v1.sectors"}]"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"v1.sectors"}"#, -32600),
        (r#"{"jsonrpc":"2.0","method":"v1.sectors"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"v1.sectors"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v1.sectors","extra":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v1.frobnicate"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v9.sectors"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v1.get","params":{"sector":1}}"#, -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"v1.get","params":["orders"]}"#, -32602),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"v1.promote","params":{"sector":"orders","content":{"other":1}}}"#,
            -32602,
        ),
    ] {
        let answer = peer.send(sent.as_bytes());
        assert_eq!(answer["error"]["code"], code, "{} gave {answer}", &sent[..sent.len().min(100)]);
        assert!(answer["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    }
    assert_eq!(peer.send(b"\xff\xfe")["error"]["code"], -32700);
    let long = peer.send(&vec![b'x'; 40 << 20]);
    assert_eq!((&long["error"]["code"], &long["id"]), (&json!(203), &Value::Null));
    assert_eq!(peer.ask("v1.sectors", json!({}))["result"][0]["name"], "orders", "the connection goes on");

    // Half a request, and its sender is gone.
    let mut half = Peer::new(&scratch);
    half.0.get_mut().write_all(br#"{"jsonrpc":"2.0","id":1,"method":"v1.rollb"#).unwrap();
    drop(half);
    scratch.says(&["promote", "orders", "max_qty=2"]);
    live.end();
}

#[test]
fn connections_are_few() {
    let scratch = Scratch::new("few");
    let live = scratch.live("fresh");
    let mut peers: Vec<Peer> = (0..8).map(|_| Peer::new(&scratch)).collect();
    for peer in &mut peers {
        peer.ask("v1.sectors", json!({}));
    }
    assert_eq!(Peer::new(&scratch).hear()["error"]["code"], 108);
    scratch.fails(&["promote", "orders", "max_qty=2"], 4);
    drop(peers.pop());
    // The engine notices the end of a connection by itself, at some time.
    while scratch.run(&["promote", "orders", "max_qty=2"]).status.code() == Some(4) {}
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "2\n");
    // Idle connections do not keep the engine from ending.
    live.end();
}

#[test]
fn the_socket_is_its_owners_alone() {
    let scratch = Scratch::new("owner");
    let live = scratch.live("fresh");
    let socket = scratch.0.join("control");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can try as another user");
        return live.end();
    }
    // Where the tests' folder is not open to others, this says nothing about the socket.
    let reachable = |at: &std::path::Path| at.metadata().is_ok_and(|about| about.permissions().mode() & 0o005 == 0o005);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_knhk"));
    if !scratch.0.ancestors().chain(binary.ancestors()).all(reachable) {
        println!("skipped: another user cannot reach the tests' folder");
        return live.end();
    }
    let stranger = |arguments: &[&str]| {
        let done = scratch.command(arguments).uid(65_534).gid(65_534).output().unwrap();
        (done.status.code(), text(&done.stderr))
    };
    let (code, said) = stranger(&["promote", "orders", "max_qty=2"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("run the command as the engine's own user"), "{said}");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let (code, said) = stranger(&["promote", "orders", "max_qty=2"]);
    assert_ne!(code, Some(0));
    assert!(said.contains("takes commands from its own user alone"), "{said}");
    assert_eq!(stranger(&["get", "orders/max_qty"]).0, Some(0), "what may be read in the folder can be read");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");
    live.end();
}
