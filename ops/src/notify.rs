//! Tells the service manager how far the process is: the protocol of sd_notify(3), datagrams to
//! `$NOTIFY_SOCKET`.

#[cfg(unix)]
use std::os::unix::net::UnixDatagram;

/// Where the service manager listens; without one, nothing is sent.
#[derive(Debug, Default)]
pub struct Notifier {
    #[cfg(unix)]
    socket: Option<UnixDatagram>,
}

impl Notifier {
    /// The manager that `$NOTIFY_SOCKET` names, if any.
    #[must_use]
    pub fn from_env() -> Notifier {
        match std::env::var("NOTIFY_SOCKET") {
            Ok(name) => Notifier::to(&name),
            Err(_) => Notifier::default(),
        }
    }

    /// A manager that listens at `name`: a path, or `@` and an abstract name. Where it cannot be reached the
    /// log says so and the process goes on.
    #[must_use]
    pub fn to(name: &str) -> Notifier {
        #[cfg(unix)]
        {
            let socket = connect(name)
                .map_err(|error| tracing::warn!(%error, "cannot reach the service manager"))
                .ok();
            Notifier { socket }
        }
        #[cfg(not(unix))]
        {
            let _ = name;
            Notifier::default()
        }
    }

    /// The process serves.
    pub fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={}\n", one_line(status)));
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.send(&format!("STATUS={}\n", one_line(status)));
    }

    /// Open sessions finish; then the process ends.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=open sessions finish\n");
    }

    fn send(&self, text: &str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(text.as_bytes())
        {
            tracing::warn!(%error, "the service manager does not listen");
        }
        #[cfg(not(unix))]
        let _ = text;
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(unix)]
fn connect(name: &str) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold the process up.
    socket.set_nonblocking(true)?;
    match name.strip_prefix('@') {
        Some(name) => connect_abstract(&socket, name)?,
        None => socket.connect(name)?,
    }
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    socket.connect_addr(&address)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn connect_abstract(_socket: &UnixDatagram, _name: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;

    fn told(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).expect("a word");
        String::from_utf8(buffer[..length].to_vec()).expect("text")
    }

    #[test]
    fn words_are_those_of_sd_notify() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("socket");
        let notifier = Notifier::to(path.to_str().expect("text"));
        notifier.ready("listening\non 2 ports");
        assert_eq!(told(&socket), "READY=1\nSTATUS=listening on 2 ports\n");
        notifier.status("7 mails wait");
        assert_eq!(told(&socket), "STATUS=7 mails wait\n");
        notifier.stopping();
        assert!(told(&socket).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn abstract_names_are_reached() {
        let name = format!("xahau-email-ops-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("name");
        let socket = UnixDatagram::bind_addr(&address).expect("socket");
        Notifier::to(&format!("@{name}")).status("well");
        assert_eq!(told(&socket), "STATUS=well\n");
    }

    #[test]
    fn a_manager_that_is_not_there_harms_nobody() {
        Notifier::to("/nowhere/at/all").ready("well");
        Notifier::default().stopping();
    }
}
