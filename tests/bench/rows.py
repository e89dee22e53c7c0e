"""What `make bench` measures: the programs, and one row a claim with its limit and where the limit comes from."""

from dataclasses import dataclass


@dataclass
class Program:
    """A benchmark program, and the first parts of the names of the rows that need it."""

    name: str
    rows: str


@dataclass
class C(Program):
    """Built with gcc -O2 from sources in ffi/benches."""

    sources: list[str]
    libraries: list[str]  # pkg-config packages


@dataclass
class Rust(Program):
    """A bench of a package of this workspace, or of a workspace of its own."""

    package: str
    workspace: str = ""  # the folder of a workspace of its own
    features: str = ""


@dataclass
class Script(Program):
    """A program of another language, run as it is; the name is its path."""

    interpreter: list[str]


@dataclass
class Judge(Program):
    """A bench of a package that judges by itself: one JSON line a figure, with name, ours, limit and unit, and a status."""

    package: str


PROGRAMS = [
    C("read", "H1", ["driver", "peers", "ours", "read"], ["knhk"]),
    C("read_peers", "H1", ["driver", "peers", "read_bare", "read_memb", "read_qsbr", "read_peers"], ["liburcu-memb", "liburcu-qsbr"]),
    C("append", "H8", ["driver", "ours", "append"], ["knhk"]),
    C("lookup", "H13", ["driver", "ours", "lookup"], ["knhk"]),
    Rust("read", "H1 H14", "knhk-hot"),
    Rust("read_peers", "H1", "knhk-hot"),
    Rust("append", "H8", "knhk-hot"),
    Rust("append_peers", "H8", "knhk-hot"),
    Rust("observing", "H8", "knhk-observation"),
    Rust("lookup", "H13", "knhk-hot"),
    Rust("lookup_peers", "H13", "knhk-hot"),
    Rust("publish", "H3", "knhk-hot"),
    Rust("promote", "H3 H9 H10", "knhk-engine"),
    Rust("autonomic", "H1 L2 L4", "knhk-engine"),
    Rust("shacl", "K4", "knhk-ontology"),
    Rust("pipeline", "K4", "knhk-governance"),
    Judge("measuring", "K4", "knhk-governance"),
    Rust("shacl_rust", "K4", "knhk-shacl-oracles", "tests/oracles/shacl", "shacl-rust"),
    Rust("rudof", "K4", "knhk-shacl-oracles", "tests/oracles/shacl", "rudof"),
    C("resilience", "W4", ["driver", "ours", "resilience"], ["knhk"]),
    Rust("policies", "W4", "knhk-resilience"),
    Rust("policies_peers", "W4", "knhk-resilience"),
    Rust("executor", "W1", "knhk-warm"),
    Rust("channel", "W2", "knhk-warm"),
    Rust("checkpoint", "W6", "knhk-resilience"),
    Rust("commit", "V6", "knhk-store"),
    Rust("verify", "V5", "knhk-ledger"),
    Rust("approval", "K6", "knhk-governance"),
    Judge("cost", "H5", "knhk-promotion"),
    Rust("doctrine", "K4", "knhk-governance"),
    Rust("import", "K1", "knhk-ontology"),
    Rust("graph", "K3", "knhk-ontology"),
    Script("bindings/python/benches/read.py", "H1", [".venv/bin/python"]),
    Script("bindings/node/benches/read.mjs", "H1", ["node"]),
]


@dataclass
class Row:
    """One line of the table. `limit` bounds the ratio where there is a peer, else our own figure in `unit`."""

    name: str
    ours: str  # the variant of ours
    peer: str | None = None  # the variant it is compared with
    limit: float | None = None  # None: printed for context
    unit: str = "ns"  # ns, us or ticks (of the time stamp counter)
    field: str = "ns"  # the sample's field that counts: ns, p999, worst, accepted
    counted: bool = False  # instructions are counted under callgrind, and decide where the ratio is finer than the noise
    at_least: bool = False  # the limit bounds from below
    why: str = ""  # the limit in words

    @property
    def variants(self) -> list[str]:
        return [self.ours, self.peer] if self.peer else [self.ours]


MEMB = "a pinned read costs at most 0.8 x liburcu-memb's inline read side with the same typed load"
QSBR = "a quiescent read costs at most 1.05 x liburcu-qsbr's"
ARC_SWAP = "a pinned read costs at most 0.3 x arc_swap::load with the same typed load"
EPOCH = "a pinned read costs at most 0.35 x crossbeam_epoch::pin with the same typed load"
TEN = "ten typed reads inside an open view cost at most 1.15 x the same checked loads through a bare pointer"
HOT = "any hot operation costs at most 8 ticks amortised"
SHACL_RUST = "10,000 statements against 20 shapes: at most 0.1 x the time of shacl-rust"
PIPELINE = ("prepare", "schema", "invariants", "doctrine", "guards", "performance", "rollback", "compatibility")
RUDOF = "10,000 statements against 20 shapes: at most 0.01 x the time of rudof's shacl"
DELTA = "a change of 10 statements on 100,000 that were validated: applied and validated in under 1 ms"
RULES = "a change judged by 1,000 rules, each about it, of every kind but callbacks: in under 1 ms"
INCREMENT = "10 MB of which 1 % changed, once a second: under 1 % of one core's time"
FULL = "10 MB whole, once a second: under 5 % of one core's time"
WRITER = "under 2 x the quiet figure while a writer promotes 10,000 times a second"
FIFTH = "at most a fifth of what {} takes for an admitted empty call"

ROWS = [
    Row("K4/shacl_10k_vs_shacl_rust", "shacl_10k", "shacl_rust_10k", 0.1, unit="us", why=SHACL_RUST),
    Row("K4/shacl_10k_vs_shacl_rust_indexed", "shacl_10k", "shacl_rust_indexed_10k", unit="us"),
    Row("K4/shacl_10k_two_threads_vs_one", "shacl_10k_two_threads", "shacl_10k", unit="us"),
    Row("K4/shacl_10k_vs_rudof", "shacl_10k", "rudof_10k", 0.01, unit="us", why=RUDOF),
    Row("K4/shacl_delta_10_on_100k", "shacl_delta_10_on_100k", None, 1000, "us", why=DELTA),
    Row("K4/pipeline_10k", "pipeline_10k", None, 10_000, "us", why="20 values changed in 10,000 statements, applied, compiled and judged by all stages: under 10 ms"),
    *(Row(f"K4/pipeline_10k_{part}", f"pipeline_10k_{part}", unit="us") for part in PIPELINE),
    Row("K4/pipeline_10k_names", "pipeline_10k_names", None, 10_000, "us", why="5 new parameters of 4 statements in 10,000: under 10 ms"),
    *(Row(f"K4/pipeline_10k_names_{part}", f"pipeline_10k_names_{part}", unit="us") for part in PIPELINE),
    Row("K4/pipeline_100k", "pipeline_100k", None, 50_000, "us", why="the same in 100,000 statements: under 50 ms"),
    *(Row(f"K4/pipeline_100k_{part}", f"pipeline_100k_{part}", unit="us") for part in PIPELINE),
    Row("K4/pipeline_100k_names", "pipeline_100k_names", None, 50_000, "us", why="the same in 100,000 statements: under 50 ms"),
    *(Row(f"K4/pipeline_100k_names_{part}", f"pipeline_100k_names_{part}", unit="us") for part in PIPELINE),
    Row("K4/doctrine_1000_rules", "doctrine_1000_rules", None, 1000, "us", why=RULES),
    Row("H1/read_i64_vs_urcu_memb", "read_i64", "urcu_memb", 0.8, counted=True, why=MEMB),
    Row("H1/read_i64_vs_urcu_qsbr", "read_i64_quiescent", "urcu_qsbr", 1.05, counted=True, why=QSBR),
    Row("H1/read_i64_vs_arc_swap", "read_i64", "arc_swap", 0.3, why=ARC_SWAP),
    Row("H1/read_i64_vs_crossbeam_epoch", "read_i64", "crossbeam_epoch", 0.35, why=EPOCH),
    Row("H1/ten_reads_in_view_vs_bare", "read_ten", "bare_ten", 1.15, counted=True, why=TEN),
    Row("H1/read_i64_vs_bare", "read_i64", "bare", counted=True),
    Row("H1/read_i64_with_canary_choice_vs_read_i64", "read_i64_for", "read_i64", counted=True),
    Row("H1/rust/read_i64_vs_arc_swap", "rust_read_i64", "arc_swap", 0.3, why=ARC_SWAP),
    Row("H1/rust/read_i64_vs_crossbeam_epoch", "rust_read_i64", "crossbeam_epoch", 0.35, why=EPOCH),
    Row("H1/rust/read_i64_vs_c", "rust_read_i64", "read_i64", counted=True),
    Row("H1/rust/view_read_i64_vs_arc_swap", "rust_view_read_i64", "arc_swap", counted=True),
    Row("H1/rust/view_read_i64_vs_crossbeam_epoch", "rust_view_read_i64", "crossbeam_epoch", counted=True),
    Row("H1/rust/quiescent_read_i64_vs_urcu_qsbr", "rust_quiescent_read_i64", "urcu_qsbr", counted=True),
    Row("H1/read_i64_ticks", "read_i64", None, 8, "ticks", why=HOT),
    Row("H1/loop/read_ticks", "read_beside_loop", None, 8, "ticks", why="8 ticks also while the loop takes one turn after another"),
    Row("H1/loop/read_vs_urcu_memb", "read_beside_loop", "urcu_memb", 0.8, why=f"{MEMB}, also while the loop takes one turn after another"),
    Row("H1/loop/read_vs_arc_swap", "read_beside_loop", "arc_swap", 0.3, why=f"{ARC_SWAP}, also while the loop takes one turn after another"),
    Row("H1/loop/read_vs_crossbeam_epoch", "read_beside_loop", "crossbeam_epoch", 0.35, why=f"{EPOCH}, also while the loop takes one turn after another"),
    Row("H1/loop/read_vs_quiet", "read_beside_loop", "read_without_loop"),
    Row("H1/current", "current", None, 3, "ticks", counted=True, why="the current generation's number: at most 3 ticks"),
    Row("H1/is_a", "is_a", None, 8, "ticks", counted=True, why=HOT),
    Row("H1/guard_i64", "guard_i64", None, 8, "ticks", counted=True, why=HOT),
    Row("H1/writer/read_i64_vs_quiet", "read_i64_writer", "read_i64", 2, why=WRITER),
    Row("H1/writer/quiescent_vs_quiet", "read_i64_quiescent_writer", "read_i64_quiescent", 2, why=WRITER),
    Row("H1/writer/urcu_memb_vs_quiet", "urcu_memb_writer", "urcu_memb"),
    Row("H1/writer/urcu_qsbr_vs_quiet", "urcu_qsbr_writer", "urcu_qsbr"),
    Row("H1/writer/arc_swap_vs_quiet", "arc_swap_writer", "arc_swap"),
    Row("H1/writer/crossbeam_epoch_vs_quiet", "crossbeam_epoch_writer", "crossbeam_epoch"),
    *(
        Row(f"H1/writer/{field}_vs_{peer}", "read_i64_gaps", f"{peer}_gaps", field=field)
        for field in ("p999", "worst")
        for peer in ("urcu_memb", "urcu_qsbr", "arc_swap", "crossbeam_epoch")
    ),
    Row("H3/swap_per_sector", "swap_per_sector", None, 10, "ticks", why="a swap of the root: at most 10 ticks a sector, amortised"),
    Row("H3/swap_call", "swap_call", None, 1, "us", why="a swap returns within 1 us and waits for no reader"),
    Row("H3/publish_call", "publish_call", None, 1, "us", why="a publication of 8 compiled sectors returns within 1 us"),
    Row("H3/promote_1000_values", "promote_1000_values", None, 200, "us", why="a document of 1,000 values, end to end, in at most 200 us"),
    Row("H3/promote_1000_values_receipted", "promote_1000_values_receipted", None, None, "us"),
    Row("H3/promote_1000_values_durable", "promote_1000_values_durable", None, None, "us"),
    Row("H9/prepare_8_sectors", "prepare_8_sectors", None, 100_000, "us", why="8 sectors of 100 values, prepared side by side within 100 ms"),
    Row("H9/commit_8_sectors", "commit_8_sectors", None, 10, "us", why="the commit of 8 prepared sectors, before durability, within 10 us"),
    Row("H10/rollback", "rollback", None, 1000, "us", why="a rollback of 1,000 values, before durability, within 1 ms"),
    Row("H14/canary_read", "rust_read_i64_canary", "rust_read_i64", 1.5, why="a read that a running canary chooses for: at most 1.5 x one without a canary"),
    *(
        row
        for clock in ("caller_time", "engine_clock")
        for row in (
            Row(f"H8/append_{clock}_vs_rtrb", f"append_{clock}", "rtrb", 1.5, why="an append costs at most 1.5 x rtrb's push"),
            Row(f"H8/append_{clock}_vs_array_queue", f"append_{clock}", "array_queue", 0.6, why="at most 0.6 x crossbeam's ArrayQueue"),
            Row(f"H8/append_{clock}_accepted", f"append_{clock}", None, 0.999, "", "accepted", at_least=True, why="at least 99.9 % accepted"),
        )
    ),
    Row("H8/append_ticks", "append_caller_time", None, None, "ticks"),  # with a live consumer; its own work is H5/append
    Row("H8/rust/append_caller_time_vs_rtrb", "rust_append_caller_time", "rtrb"),
    Row("H8/rust/append_engine_clock_vs_rtrb", "rust_append_engine_clock", "rtrb"),
    Row("H8/contended/append_caller_time_vs_rtrb", "rust_append_caller_time_contended", "rtrb_contended"),
    Row("H8/contended/append_caller_time_vs_array_queue", "rust_append_caller_time_contended", "array_queue_contended"),
    Row("H8/observing/read_ticks", "read_observing", None, 8, "ticks", why="8 ticks also while 1,000,000 observations a second go to the disk"),
    Row("H8/observing/read_vs_quiet", "read_observing", "read_quiet"),
    Row("H8/observing/append_vs_rtrb", "append_observing", "rtrb", 1.5, why="at most 1.5 x rtrb's push also while 1,000,000 others go to the disk"),
    Row("H8/observed_through", "observed_through", None, 500, "ns", why="2,000,000 a second from the append to the disk, under receipts"),
    Row("H13/lookup_100k", "lookup", None, 50, "ns", why="a lookup by a run-time string among 100,000 names: at most 50 ns"),
    Row("H13/lookup_i64_vs_std_hashmap", "lookup_i64", "std_hashmap"),
    Row("H13/lookup_i64_vs_hashbrown", "lookup_i64", "hashbrown"),
    Row("H13/rust/lookup_vs_hashbrown", "rust_lookup", "hashbrown"),
    Row("V5/verify_1m_observations", "verify_observations", None, 500_000, "us", why="1,000,000 observations, a signature per 1,024, in under 500 ms"),
    Row("V5/verify_receipt", "verify_receipts", None, 20, "us", why="receipts signed one by one: at most 20 us each"),
    Row("V5/sign_and_append_in_memory", "append_in_memory", None, 100, "us", why="a receipt is made in under 100 us"),
    Row("K6/approval", "approval", None, 100, "us", why="an approval, verified and decided, before it is durable: under 100 us"),
    Row("V6/commit_100_vs_raw", "commit_100", "append_100", 2, "us", why="100 receipts, durable: at most 2 x a raw append and fdatasync"),
    Row("V6/commit_1_vs_raw", "commit_1", "append_1", 2.5, "us", why="one receipt, durable: at most 2.5 x a raw append and fdatasync"),
    Row("K1/import_brick", "import_brick", "oxttl_parse_brick", 2, why="importing Brick costs at most 2 x oxttl's bare parsing of it"),
    *(Row(f"K1/import_brick/{step}", f"import_brick_{step}", "oxttl_parse_brick") for step in ("parse", "label", "graph", "address")),
    Row("K3/delta_100_on_100k", "delta_100_on_100k", None, 1000, "us", why="a change of 100 statements on 100,000, graph and content address: under 1 ms"),
    Row("K3/delta_100_on_100k_three_orders", "delta_100_on_100k_three_orders", None, 1000, "us", why="the same where every order is kept"),
    Row("K3/build_50k_vs_oxrdf", "graph_build_50k", "oxrdf_build_50k"),
    Row("K3/contains_vs_oxrdf", "graph_contains", "oxrdf_contains"),
    Row("K3/objects_vs_oxrdf", "graph_objects", "oxrdf_objects"),
    Row("K3/address_of_100k", "map_of_100k", None, None, "us"),
    Row("H1/python/read_i64_vs_empty_method", "python_read_i64", "python_empty_method", 1.5, why="at most 1.5 x an empty method of the same module"),
    Row("H1/node/read_number_vs_empty_method", "node_read_number", "node_empty_method", 1.5, why="at most 1.5 x an empty native method"),
    Row("W4/breaker_count", "breaker_count", None, 10, why="a closed breaker with a count window around an empty call: at most 10 ns"),
    Row("W4/breaker_count_shared", "breaker_count_shared", None, 10, why="the same once threads share it: at most 10 ns"),
    Row("W4/breaker_time", "breaker_time", None, 25, why="with a time window, on a cached clock: at most 25 ns"),
    Row("W4/breaker_slow", "breaker_slow", None, 25, why="with a slow-call rate, on a cached clock: at most 25 ns"),
    Row("W4/bulkhead", "bulkhead", None, 10, why="a bulkhead around an empty call: at most 10 ns"),
    Row("W4/bulkhead_shared", "bulkhead_shared", None, 10, why="the same once threads share it: at most 10 ns"),
    Row("W4/token_bucket", "token_bucket", None, 20, why="a token of a bucket, on a cached clock: at most 20 ns"),
    Row("W4/token_bucket_shared", "token_bucket_shared", None, 20, why="the same once threads share it: at most 20 ns"),
    Row("W4/c/breaker_count", "c_breaker_count", None, 15, why="the same from C: at most 15 ns"),
    Row("W4/c/breaker_time", "c_breaker_time", None, 25, why="with a time window from C, on a cached clock: at most 25 ns"),
    Row("W4/c/breaker_slow", "c_breaker_slow", None, 25, why="with a slow-call rate from C, on a cached clock: at most 25 ns"),
    Row("W4/c/bulkhead", "c_bulkhead"),
    Row("W4/c/token_bucket", "c_token_bucket"),
    *(
        Row(f"W4/{ours}_vs_{peer}", ours, peer, 0.2, why=FIFTH.format(peer))
        for ours, peer in (
            ("breaker_trend", "failsafe_consecutive"),
            ("breaker_time", "failsafe_time"),
            ("breaker_count", "tower_breaker_count"),
            ("breaker_count_shared", "tower_breaker_count"),
            ("breaker_time", "tower_breaker_time"),
            ("breaker_slow", "tower_breaker_slow"),
            ("bulkhead", "tower_bulkhead"),
            ("bulkhead_shared", "tower_bulkhead"),
            ("token_bucket", "tower_token_bucket"),
            ("token_bucket_shared", "tower_token_bucket"),
            ("token_bucket", "governor"),
            ("token_lease", "governor"),
        )
    ),
    # One thread calls in all of them. While no other thread has used a bucket, ours needs no exchange; once one has, a token of it is an
    # exchange, as governor's always is, and the exchange alone is more than a fifth of what governor takes. Leases of 32 tokens
    # meet the fifth; one thread's bucket came to 0.21 and misses it; a bucket that threads share cannot meet it. What the shared one adds to the exchange is bounded.
    Row("W4/token_bucket_shared_vs_governor", "token_bucket_shared", "governor"),
    Row("W4/exchange_vs_governor", "exchange", "governor"),
    Row("W4/token_bucket_shared_vs_exchange", "token_bucket_shared", "exchange", 1.5, why="a shared token costs at most 1.5 x the one exchange that it cannot do without"),
    Row("W4/breaker_system_clock", "breaker_system_clock"),
    Row("W4/token_bucket_system_clock_vs_governor", "token_bucket_system_clock", "governor"),
    Row("W4/sliding_window", "sliding_window"),
    Row("W4/adaptive", "adaptive"),
    Row("W4/tower_bare", "tower_bare"),
    Row("W1/executor_latency", "executor_latency", None, 1000, "us", why="a run of an idle executor begins within its budget, 1 ms"),
    Row("W1/executor_latency_vs_rayon", "executor_latency", "rayon_latency"),
    Row("W1/executor_throughput", "executor_throughput"),
    Row("W1/executor_throughput_vs_rayon", "executor_throughput", "rayon_throughput"),
    Row("W2/channel_one_way", "channel_one_way", None, 1000, why="1,000,000 messages a second through a pair between two threads"),
    Row("W2/channel_both_ways", "channel_both_ways", None, 1000, why="1,000,000 messages a second through a pair between two threads"),
    Row("W2/channel_one_way_vs_crossbeam", "channel_one_way", "crossbeam_one_way"),
    Row("W2/backpressure_stopped", "backpressure_stopped", None, 100, "us", why="a consumer that stops is felt by its producer within 100 us"),
    Row("W2/backpressure_held", "backpressure_held", None, 100, "us", why="a consumer that holds its producer back is felt within 100 us"),
    Row("W6/checkpoint_scattered", "checkpoint_scattered", None, 10_000, "us", why=INCREMENT),
    Row("W6/checkpoint_runs", "checkpoint_runs", None, 10_000, "us", why=INCREMENT),
    Row("W6/checkpoint_full", "checkpoint_full", None, 50_000, "us", why=FULL),
    Row("W6/checkpoint_scattered_encrypted", "checkpoint_scattered_encrypted", None, 10_000, "us", why=INCREMENT),
    Row("W6/checkpoint_full_encrypted", "checkpoint_full_encrypted", None, 50_000, "us", why=FULL),
    Row("L2/detection_minute", "detection_minute", None, 20_000, "us", why="a minute of 60,000 observations under five watches: in under 20 ms"),
    Row("L4/cycle", "cycle", None, 100_000, "us", why="from a fault to a change that is proven, promoted and recorded, without a model: in under 100 ms"),
]
