//! The private seed: in no log, no error, no store, and in no memory of a process that signs with a key held elsewhere or dropped its own.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use ed25519_dalek::Signer as _;
use knhk_ledger::{Ledger, PublicKey, Signer};
use knhk_store::{Batch, MemoryStore, Store};

use crate::keys::{SEED, hex, write};
use crate::world::{ORIGIN, signer, updated};

/// A seed as it might be written somewhere: the bytes and their halves, and the digits of several notations.
fn forms(seed: &[u8; 32]) -> Vec<Vec<u8>> {
    let mut forms = vec![seed[..16].to_vec(), seed[16..].to_vec()];
    forms.extend([hex(seed).into_bytes(), hex(seed).to_uppercase().into_bytes()]);
    for engine in [base64::engine::general_purpose::STANDARD_NO_PAD, base64::engine::general_purpose::URL_SAFE_NO_PAD] {
        // Wherever it stands in what was encoded: the digits that its bytes alone decide.
        for offset in 0..3 {
            let encoded = engine.encode([&vec![0; offset][..], seed].concat());
            forms.push(encoded.as_bytes()[4 * usize::from(offset > 0)..40].to_vec());
        }
    }
    forms.push(format!("{seed:?}").trim_matches(['[', ']']).into());
    forms
}

/// The forms that are there.
fn found(seed: &[u8; 32], content: &[u8]) -> Vec<String> {
    let there = forms(seed).into_iter().filter(|form| contains(content, form));
    there.map(|form| String::from_utf8_lossy(&form).into_owned()).collect()
}

/// Everything that was logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_seed_is_in_no_log_no_error_and_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone());
    let mut said: Vec<String> = Vec::new();
    let store = folder.path().join("store.db");
    tracing::subscriber::with_default(subscriber.finish(), || {
        // Each way to hold the key, broken a little so that it errs.
        let standard = base64::engine::general_purpose::STANDARD.encode(SEED);
        for content in [SEED[..31].to_vec(), [&SEED[..], &[0]].concat(), hex(&SEED)[..63].into(), standard.into()] {
            write(&path, content, 0o600);
            let error = Signer::load(&path).unwrap_err();
            said.extend([error.to_string(), format!("{error:?}")]);
        }
        write(&path, SEED, 0o644);
        said.push(format!("{:?}", Signer::load(&path).unwrap_err()));
        write(&path, SEED, 0o600);
        let key = Signer::load(&path).unwrap();
        said.extend([format!("{key:?}"), format!("{key:#?}")]);
        let file = Arc::new(knhk_store::SqliteStore::open(&store).unwrap());
        let (ledger, root) = Ledger::create(file.clone(), ORIGIN, key.clone(), 1).unwrap();
        said.push(format!("{root:?} {root}"));
        said.push(format!("{:?}", ledger.append(vec![updated(1)]).unwrap()));
        said.push(format!("{:?}", Ledger::create(file.clone(), ORIGIN, key.clone(), 1).err()));
        said.push(format!("{:?}", Ledger::open(file.clone(), &root, Some(signer(2)), None).err()));
        said.push(format!("{:?}", ledger.rotate(key.clone(), 2, Batch::new())));
        said.push(format!("{:?}", ledger.rotate(signer(3), 2, Batch::new()).unwrap()));
        said.push(format!("{:?}", key.save(&path)));
        file.close().unwrap();
        said.push(format!("{:?}", ledger.append(vec![updated(2)])));
        tracing::error!("the subscriber listens");
    });
    let logged = logged.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("the subscriber listens"));
    let everything = [logged, said.join("\n").into_bytes(), fs::read(&store).unwrap()].concat();
    assert_eq!(found(&SEED, &everything), [""; 0]);
}

/// The C library's search, because whole processes are searched, by tests that are not optimised.
fn contains(content: &[u8], part: &[u8]) -> bool {
    // SAFETY: both are slices, and are read only.
    !unsafe { libc::memmem(content.as_ptr().cast(), content.len(), part.as_ptr().cast(), part.len()) }.is_null()
}

const KEY: &str = "KNHK_SECRETS_KEY";
const PUBLIC: &str = "KNHK_SECRETS_PUBLIC";

/// The process whose memory is searched: it says how far it is and waits until the parent has looked. Its key is in the file that KEY
/// names, or its parent has it and signs.
#[test]
#[ignore = "run by others as a process of its own"]
fn child() {
    let say = |line: String| {
        let mut output = io::stdout().lock();
        output.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| output.flush()).unwrap();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).unwrap();
        answer
    };
    let key = match std::env::var(KEY) {
        Ok(path) => Signer::load(Path::new(&path)).unwrap(),
        Err(_) => {
            let public = std::env::var(PUBLIC).unwrap();
            let public = PublicKey::from_bytes(&unhex(&public).try_into().unwrap()).unwrap();
            Signer::delegated(public, move |message| {
                unhex(say(format!("sign {}", hex(message))).trim()).try_into().map_err(|_| "no answer".into())
            })
        }
    };
    let (ledger, root) = Ledger::create(Arc::new(MemoryStore::new()), ORIGIN, key.clone(), 1).unwrap();
    for n in 0..300 {
        ledger.append(vec![updated(n)]).unwrap();
    }
    ledger.prove_inclusion(7).unwrap();
    let store = ledger.store().clone();
    say("signed".into());
    drop((ledger, key));
    say("dropped".into());
    assert_eq!(store.log_size(), Ok(301));
    drop(root);
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Starts the child; gives where to write, and where to read.
fn start(name: &str, value: &str) -> (std::process::Child, ChildStdin, BufReader<ChildStdout>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "secrets::child", "--ignored", "--nocapture", "--test-threads=1"]).env(name, value);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (child, input, BufReader::new(output))
}

/// What of the seed is in the memory of a process that waits: all that a core would hold, and the pages that one leaves out.
fn in_memory(process: u32, seed: &[u8; 32]) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let (mut there, mut read) = (Vec::new(), 0);
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with('r')) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut content = vec![0; (to - from) as usize];
        match memory.read_exact_at(&mut content, from) {
            Ok(()) => {
                read += content.len();
                there.extend(found(seed, &content).into_iter().map(|form| format!("{form} in {line}")));
            }
            // The kernel's own, which it shows to nobody and no core has.
            Err(error) => assert!(line.contains("[v"), "{line}: {error}"),
        }
    }
    assert!(read > 1 << 20, "{read} bytes are no process");
    there
}

fn random() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    seed
}

#[test]
fn a_key_held_elsewhere_is_in_no_memory() {
    let seed = random();
    let held = ed25519_dalek::SigningKey::from_bytes(&seed);
    let (mut child, mut input, output) = start(PUBLIC, &hex(held.verifying_key().as_bytes()));
    let (mut signatures, mut looked) = (0, 0);
    for line in output.lines().map(Result::unwrap) {
        if let Some(message) = line.strip_prefix("sign ") {
            let signature = held.sign(&unhex(message));
            writeln!(input, "{}", hex(&signature.to_bytes())).unwrap();
            signatures += 1;
        } else if line == "signed" || line == "dropped" {
            assert_eq!(in_memory(child.id(), &seed), [""; 0], "{line}");
            looked += 1;
            writeln!(input).unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(signatures > 300 && looked == 2, "{signatures} signatures, looked {looked} times");
}

#[test]
fn a_key_that_was_dropped_is_in_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let seed = random();
    let files = [("raw", seed.to_vec()), ("hex", hex(&seed).into_bytes()), ("pem", Vec::new())];
    for (form, content) in files {
        let path = folder.path().join(form);
        match form {
            "pem" => Signer::from_seed(&seed).save(&path).unwrap(),
            _ => write(&path, content, 0o600),
        }
        let (mut child, mut input, output) = start(KEY, path.to_str().unwrap());
        let mut looked = 0;
        for line in output.lines().map(Result::unwrap) {
            match line.as_str() {
                // Whoever signs has the key: this shows that it would be found, and once, where it is to be.
                "signed" => assert_eq!(in_memory(child.id(), &seed).len(), 2, "{form}: its two halves"),
                "dropped" => assert_eq!(in_memory(child.id(), &seed), [""; 0], "{form}"),
                _ => continue,
            }
            looked += 1;
            writeln!(input).unwrap();
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(looked, 2);
    }
}
