//! Opening the ports. Each address stands for its own family: `0.0.0.0` and `[::]` share a port.

use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;
use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::{TcpListener, TcpSocket};

use super::DaemonError;
use crate::limits::LISTEN_BACKLOG;

/// Opens one port, which a setting names; gives the address, whose port the system has chosen where it was 0.
pub(super) fn open(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), DaemonError> {
    let wrong = |source| DaemonError::Listen {
        setting,
        place: address.to_string(),
        source,
    };
    let listener = bind(address).map_err(wrong)?;
    let at = listener.local_addr().map_err(wrong)?;
    Ok((listener, at))
}

/// Opens all of the ports that can be opened. `[::]` is left out, and the log says so, where the machine has
/// no IPv6 and another address remains: the default configuration names both families.
pub(super) fn open_all(
    setting: &'static str,
    addresses: &[SocketAddr],
) -> Result<Vec<(TcpListener, SocketAddr)>, DaemonError> {
    let has_v4 = addresses.iter().any(SocketAddr::is_ipv4);
    let mut opened = Vec::new();
    for address in addresses {
        match open(setting, *address) {
            Err(DaemonError::Listen { source, .. }) if has_v4 && is_any_v6(*address) && lacks_v6(&source) => {
                tracing::warn!(%address, "this machine has no IPv6: not listening there");
            }
            result => opened.push(result?),
        }
    }
    Ok(opened)
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

/// What a system without IPv6 says: no such family where the kernel lacks it, no such address where it is
/// switched off.
fn lacks_v6(error: &io::Error) -> bool {
    let lacking = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL];
    Errno::from_io_error(error).is_some_and(|errno| lacking.contains(&errno))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // Otherwise Linux takes the port of IPv4 too (/proc/sys/net/ipv6/bindv6only is 0).
            set_ipv6_v6only(&socket, true)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_port(text: &str, port: u16) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), port)
    }

    #[tokio::test]
    async fn both_families_share_a_port_and_each_takes_its_own() {
        let opened = open_all("smtp.listen", &[any_port("::", 0)]).expect("IPv6");
        let port = opened[0].1.port();
        let v4 = open_all("smtp.listen", &[any_port("0.0.0.0", port)]).expect("IPv4 on the same port");
        for (ip, listener) in [("127.0.0.1", &v4[0].0), ("::1", &opened[0].0)] {
            let client = tokio::net::TcpStream::connect(any_port(ip, port));
            let (client, accepted) = tokio::join!(client, listener.accept());
            client.expect("connected");
            assert_eq!(accepted.expect("accepted").1.ip().to_string(), ip);
        }
    }

    #[tokio::test]
    async fn rejects_a_port_that_is_taken_by_its_place() {
        let (_held, at) = open("smtp.listen", any_port("127.0.0.1", 0)).expect("a port");
        let error = open_all("smtp.listen", &[at]).expect_err("taken").to_string();
        assert!(
            error.starts_with(&format!("smtp.listen: cannot listen on {at}")),
            "{error}"
        );
    }

    #[test]
    fn only_what_a_machine_without_ipv6_says_is_passed_over() {
        for errno in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
            assert!(lacks_v6(&errno.into()));
        }
        assert!(!lacks_v6(&Errno::ADDRINUSE.into()) && !lacks_v6(&Errno::ACCESS.into()));
        assert!(is_any_v6(any_port("::", 25)) && !is_any_v6(any_port("::1", 25)));
    }
}
