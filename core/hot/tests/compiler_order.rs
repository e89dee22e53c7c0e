//! The compiler's part of the protocol, which no model of memory sees: the pin is stored before the root is looked at again, and read
//! from before it is given up. The processor is made to trap after every instruction; at the one that stores the pin, the trap
//! handler changes what must be loaded later, or must have been loaded before. Run it optimised too (`cargo test --release`).
//!
//! The instructions themselves: `cargo test -p knhk-hot --release --test compiler_order --no-run`, then
//! `objdump -d --no-show-raw-insn <the executable> | awk '/<knhk_probe_read>:/,/ret/'`.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::alloc::{Layout, alloc};
use std::cell::UnsafeCell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64};

use knhk_hot::layout::{Descriptor, HotLine, Key, REGION, RawView, ReaderLine, Root, SECTOR_CAPACITY, Slot, Tag};
use knhk_hot::raw;

/// What the trap handler watches and changes.
struct Trap {
    pin: AtomicPtr<AtomicU64>,
    /// The pin's value before the store that is waited for.
    before: AtomicU64,
    /// What to change then.
    target: AtomicPtr<AtomicU64>,
    value: AtomicU64,
    steps: AtomicI32,
}

static TRAP: Trap = Trap {
    pin: AtomicPtr::new(std::ptr::null_mut()),
    before: AtomicU64::new(0),
    target: AtomicPtr::new(std::ptr::null_mut()),
    value: AtomicU64::new(0),
    steps: AtomicI32::new(0),
};

const TRAP_FLAG: i64 = 1 << 8;

extern "C" fn on_trap(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a context; the pointers were set before the first trap.
    unsafe {
        let flags = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_EFL as usize];
        if (*TRAP.pin.load(Relaxed)).load(Relaxed) != TRAP.before.load(Relaxed) {
            (*TRAP.target.load(Relaxed)).store(TRAP.value.load(Relaxed), Relaxed);
            *flags &= !TRAP_FLAG;
        } else if TRAP.steps.fetch_sub(1, Relaxed) > 0 {
            *flags |= TRAP_FLAG;
        } else {
            *flags &= !TRAP_FLAG;
        }
    }
}

unsafe extern "C" fn other_slow(reader: *mut ReaderLine, saved: u64, _: u32) -> u64 {
    // SAFETY: called with a line of this test.
    unsafe {
        (*reader).pin.store(saved | 1, Release);
        (*(*reader).hot).root.load(Acquire)
    }
}

/// Two roots of one sector with one slot each, a hot line that shows the first, and a reader.
struct World {
    slots: [UnsafeCell<Slot>; 2],
    cold: AtomicU64,
    roots: Vec<Box<Root>>,
    hot: &'static HotLine,
    reader: &'static ReaderLine,
}

/// A hot line at the beginning of its region, and a reader line in it. Leaked.
#[repr(C)]
struct Lines {
    hot: HotLine,
    reader: ReaderLine,
}

impl Lines {
    fn leaked(hot: HotLine, reader: ReaderLine) -> &'static mut Lines {
        let layout = Layout::new::<Lines>().align_to(REGION).unwrap();
        // SAFETY: fresh memory of the right size and alignment, written before it is referred to.
        unsafe {
            let at = alloc(layout).cast::<Lines>();
            assert!(!at.is_null());
            at.write(Lines { hot, reader });
            (*at).reader.hot = &raw const (*at).hot;
            &mut *at
        }
    }
}

impl World {
    fn new() -> Box<World> {
        let slot = |value| UnsafeCell::new(Slot { tag: Tag::I64 as u64, value });
        let zero = || AtomicU64::new(0);
        let hot = HotLine {
            gate: zero(),
            root: zero(),
            epoch: zero(),
            cand_gate: zero(),
            cand_root: zero(),
            canary_limit: zero(),
            canary_salt: zero(),
            reserved: zero(),
        };
        let reader = ReaderLine {
            pin: zero(),
            hot: std::ptr::null(),
            ring: std::ptr::null_mut(),
            clock: std::ptr::null(),
            slow: other_slow,
            id: 1,
            reserved: [0; 2],
        };
        let Lines { hot, reader } = Lines::leaked(hot, reader);
        let mut world = Box::new(World { slots: [slot(1), slot(2)], cold: zero(), roots: Vec::new(), hot, reader });
        for slot in [0, 1] {
            let artifact = world.slots[slot].get();
            let descriptor = Descriptor { snapshot_id: [0; 32], artifact, epoch: 1, limit: 16, reserved: 0 };
            let root = Root {
                epoch: slot as u64 + 1,
                cold_reads: &world.cold,
                zero: [0; 6],
                descriptors: [descriptor; SECTOR_CAPACITY],
            };
            world.roots.push(Box::new(root));
        }
        let first = world.address(0);
        for cell in [&world.hot.gate, &world.hot.root, &world.hot.cand_gate, &world.hot.cand_root] {
            cell.store(first, Relaxed);
        }
        world.hot.epoch.store(1, Relaxed);
        world
    }

    fn address(&self, root: usize) -> u64 {
        (&raw const *self.roots[root]).expose_provenance() as u64
    }

    fn reader(&self) -> *mut ReaderLine {
        std::ptr::from_ref(self.reader).cast_mut()
    }

    /// Runs `f` step by step; when the pin changes, stores `value` in `target`.
    fn stepped<T>(&self, target: *const AtomicU64, value: u64, f: impl FnOnce() -> T) -> T {
        TRAP.pin.store((&raw const self.reader.pin).cast_mut(), Relaxed);
        TRAP.before.store(self.reader.pin.load(Relaxed), Relaxed);
        TRAP.target.store(target.cast_mut(), Relaxed);
        TRAP.value.store(value, Relaxed);
        TRAP.steps.store(100_000, Relaxed);
        // SAFETY: the handler is installed for the test's duration; it touches atomics and the flags.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_trap as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut());
            libc::raise(libc::SIGTRAP);
        }
        let result = f();
        assert!(TRAP.steps.load(Relaxed) > 0, "the pin never changed");
        result
    }
}

const KEY: Key = Key::new(0, 0);

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn knhk_probe_read(reader: *mut ReaderLine, key: Key, fallback: i64) -> i64 {
    // SAFETY: the caller's line is registered.
    unsafe {
        let view = raw::begin(reader);
        let value = raw::get_i64(view, key, fallback);
        raw::end(reader, view);
        value
    }
}

/// The wrong order, which the traps must find out: looks at the root, and pins then.
#[inline(never)]
unsafe fn begin_wrongly(reader: *mut ReaderLine) -> RawView {
    // SAFETY: the caller's line is registered.
    unsafe {
        let root = (*(*reader).hot).root.load(Acquire);
        (*reader).pin.store(root, Release);
        RawView { root: std::ptr::with_exposed_provenance(root as usize), saved: 0 }
    }
}

#[test]
fn instructions_keep_the_order() {
    let world = World::new();
    let (reader, root, second) = (world.reader(), &raw const world.hot.root, world.address(1));
    let restore = || {
        world.hot.root.store(world.address(0), Relaxed);
        world.reader.pin.store(0, Relaxed);
    };
    // SAFETY: the line is this thread's, the roots and slots live as long as the world.
    unsafe {
        let view = world.stepped(root, second, || raw::begin(reader));
        assert_eq!(view.root.addr() as u64, second, "begin looked at the root before it stored the pin");
        restore();
        let view = world.stepped(root, second, || begin_wrongly(reader));
        assert_eq!(view.root.addr() as u64, world.address(0), "the control must be caught");
        restore();

        assert_eq!(world.stepped(root, second, || knhk_probe_read(reader, KEY, 0)), 2);
        restore();

        let view = world.stepped(root, second, || {
            raw::quiescent(reader);
            raw::begin_quiescent(reader)
        });
        assert_eq!(view.root.addr() as u64, second, "a quiescent view loaded the root before the bound was stored");
        raw::offline(reader);
        restore();

        // The pin goes from the root to 0 at the end: by then the value is read.
        let value: *const AtomicU64 = world.slots[0].get().cast::<u64>().add(1).cast();
        let view = raw::begin(reader);
        let read = world.stepped(value, 9, || {
            let read = raw::get_i64(view, KEY, 0);
            raw::end(reader, view);
            read
        });
        assert_eq!(read, 1, "a value was read after the view ended");
        (*value).store(1, Relaxed);
        let view = raw::begin(reader);
        let read = world.stepped(value, 9, || {
            raw::end(reader, view);
            raw::get_i64(view, KEY, 0)
        });
        assert_eq!(read, 9, "the control must be caught");
    }
}
