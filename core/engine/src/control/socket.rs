//! The socket in an engine's folder: made for its owner alone, found by the command.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// The socket's name in the folder.
pub(crate) const NAME: &str = "control";

/// Connections that wait to be accepted.
const BACKLOG: i32 = 16;

/// What a UNIX address can hold, without its end.
const ADDRESS_BYTES: usize = 107;

/// Listens in `folder`, in the place of whatever socket a dead engine left there. The caller holds the folder's lock.
pub(crate) fn serve(folder: &Path) -> io::Result<UnixListener> {
    let fresh = folder.join("control.new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    // Linux gives the file the mode that the socket has when it is bound: there is no moment at which others may connect.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    let address = Address::of(folder, "control.new")?;
    bind(&socket, &SocketAddrUnix::new(&address.path)?)?;
    fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
    listen(&socket, BACKLOG)?;
    fs::rename(&fresh, folder.join(NAME))?;
    Ok(socket.into())
}

/// Connects to the engine that listens in `folder`; none when there is no engine that does.
pub(crate) fn connect(folder: &Path) -> io::Result<Option<UnixStream>> {
    let connected = Address::of(folder, NAME).and_then(|address| UnixStream::connect(&address.path));
    match connected {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the peer is this process's user, or root.
pub(crate) fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid();
    sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == own || peer.uid.is_root())
}

/// A path that fits into a UNIX address: a long one leads through the open folder.
struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    fn of(folder: &Path, name: &str) -> io::Result<Address> {
        let path = folder.join(name);
        if path.as_os_str().len() <= ADDRESS_BYTES {
            return Ok(Address { path, _folder: None });
        }
        let flags = rustix::fs::OFlags::PATH.bits() as i32;
        let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(folder)?;
        let path = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
        Ok(Address { path, _folder: Some(opened) })
    }
}
