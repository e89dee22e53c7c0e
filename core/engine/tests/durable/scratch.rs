//! A folder of its own for each test, gone at its end, and what is done to it behind the engine's back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use knhk_engine::{
    Engine, Error, Level, Log, Options, Origin, ReaderOptions, ReceiptInfo, ReceiptQuery, SectorKind, Verified,
    VerifyOptions,
};
use rusqlite::{Connection, params};

pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("durable-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn location(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub fn try_open(&self, options: Options) -> Result<Engine, Error> {
        Engine::open(self.location(), options)
    }

    pub fn open(&self) -> Engine {
        self.try_open(Options::default()).unwrap()
    }

    pub fn refused(&self, options: Options) -> Error {
        self.try_open(options).err().unwrap()
    }

    /// With a sector `orders`.
    pub fn orders(&self) -> Engine {
        self.orders_with(Options::default())
    }

    pub fn orders_with(&self, options: Options) -> Engine {
        let engine = self.try_open(options).unwrap();
        _ = engine.create_sector("orders", SectorKind::Direct);
        engine
    }

    /// With what its log says.
    pub fn open_heard(&self) -> (Engine, Receiver<(Level, String)>) {
        let (said, heard) = std::sync::mpsc::channel();
        let mut options = Options::default();
        options.log =
            Some(Log(Arc::new(move |level, part, line| said.send((level, format!("{part}: {line}"))).unwrap())));
        (self.try_open(options).unwrap(), heard)
    }

    /// The store, as any SQLite tool opens it.
    pub fn connection(&self) -> Connection {
        Connection::open(self.at("store.sqlite")).unwrap()
    }

    pub fn sql(&self, change: &str) {
        self.connection().execute_batch(change).unwrap();
    }

    /// Makes the store refuse new versions, as a full disk would, until the other is called.
    pub fn refuse_versions(&self) {
        self.sql("CREATE TRIGGER refuse BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no room'); END");
    }

    pub fn take_versions(&self) {
        self.sql("DROP TRIGGER refuse");
    }

    /// Changes a byte of what a version's snapshot is stored as.
    pub fn damage(&self, sector: &str, number: u64) {
        let connection = self.connection();
        let query = "SELECT id, added FROM snapshots JOIN versions ON id = snapshot WHERE sector = ?1 AND number = ?2";
        let (id, mut added): (Vec<u8>, Vec<u8>) =
            connection.query_row(query, params![sector, number], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let at = added.len() / 2;
        added[at] ^= 1;
        connection.execute("UPDATE snapshots SET added = ?1 WHERE id = ?2", params![added, id]).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// What a view reads of sector `orders` now, or -1.
pub fn read(engine: &Engine, name: &str) -> i64 {
    let key = engine.key::<i64>("orders", name).unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    key.get(&reader.view(), -1)
}

/// Everything verified: the log, and every version.
pub fn whole(engine: &Engine) -> Verified {
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap()
}

/// The receipts so far.
pub fn receipts(engine: &Engine) -> Vec<ReceiptInfo> {
    engine.receipts(&ReceiptQuery::default()).unwrap()
}

/// Few versions in memory, so that older ones come from the store.
pub fn few() -> Options {
    let mut options = Options::default();
    options.history = 2;
    options
}

/// Promotes a document that says `n`, as `ops-n`.
pub fn promote_number(engine: &Engine, sector: &str, n: i64) -> u64 {
    let origin = Origin { by: format!("ops-{n}"), why: "asked".into(), ..Origin::default() };
    engine.promote_json(sector, &format!(r#"{{"max_qty": {n}, "venues": {{"XLON": {n}}}}}"#), origin).unwrap().version
}
