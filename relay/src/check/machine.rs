//! The machine: data folder, disk, certificate.

use std::io::Write;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, RootCertStore, ServerConfig};

use super::finding::Finding;
use crate::config::{Config, Tls};
use crate::limits::CERTIFICATE_WARN_SECS;

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// Writes, syncs and removes a file in the data folder.
pub(super) fn data_folder(config: &Config) -> Finding {
    let shown = config.data.display();
    let probe = config.data.join(format!(".check-{}", std::process::id()));
    let written = std::fs::File::create_new(&probe).and_then(|mut file| {
        file.write_all(b"xahau-email relay check\n")?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&probe);
    match written.and(removed) {
        Ok(()) => Finding::ok("data folder", format!("{shown} can be written")),
        Err(error) => Finding::fail(
            "data folder",
            format!("cannot write in {shown}: {error}"),
            "Create the folder, owned by the user that runs the relay, with mode 0700",
        ),
    }
}

/// Space on the data folder's disk.
pub(super) fn free_space(config: &Config) -> Option<Finding> {
    // A folder that is not there has been told of above.
    let disk = rustix::fs::statvfs(&config.data).ok()?;
    let free_mib = disk.f_bavail.saturating_mul(disk.f_frsize) / MIB;
    let least = config.queue.free_mib_min;
    let seen = format!("{free_mib} MiB are free, the relay stops taking mail at {least} MiB");
    let fix = "Free some space, or give data a larger disk";
    Some(if free_mib < least {
        Finding::fail("disk", seen, fix)
    } else if free_mib < least.saturating_mul(4) {
        Finding::warn("disk", seen, fix)
    } else {
        Finding::ok("disk", seen)
    })
}

/// The certificate for STARTTLS: key, name, dates.
pub(super) fn certificate(config: &Config, now: u64) -> Vec<Finding> {
    let Some(tls) = &config.tls else {
        let open = || {
            Finding::warn(
                "certificate",
                "there is none: mail arrives unencrypted, and some servers refuse to send it that way",
                "Get one for the hostname and name its files in [tls]",
            )
        };
        return config.smtp.iter().map(|_| open()).collect();
    };
    let chain: Result<Vec<CertificateDer<'_>>, _> =
        CertificateDer::pem_file_iter(&tls.certificate).and_then(Iterator::collect);
    let chain = match chain {
        Ok(chain) if !chain.is_empty() => chain,
        Ok(_) => return vec![unreadable(tls, "it holds no certificate")],
        Err(error) => return vec![unreadable(tls, &error.to_string())],
    };
    let mut findings = vec![key_fits(tls, &chain)];
    let Some((leaf, rest)) = chain.split_first() else {
        return findings;
    };
    match ParsedCertificate::try_from(leaf) {
        Ok(leaf) => {
            findings.push(name_fits(&leaf, &config.hostname));
            findings.push(dates(&leaf, rest, now));
        }
        Err(error) => findings.push(unreadable(tls, &error.to_string())),
    }
    findings
}

fn unreadable(tls: &Tls, why: &str) -> Finding {
    Finding::fail(
        "certificate",
        format!("{}: {why}", tls.certificate.display()),
        "Name a PEM file with the certificate first, followed by those that sign it",
    )
}

fn key_fits(tls: &Tls, chain: &[CertificateDer<'static>]) -> Finding {
    let key = match PrivateKeyDer::from_pem_file(&tls.key) {
        Ok(key) => key,
        Err(error) => {
            return Finding::fail(
                "certificate key",
                format!("{}: {error}", tls.key.display()),
                "Name the file of the certificate's private key, in PEM",
            );
        }
    };
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let fitted = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let builder = builder.with_no_client_auth();
            builder.with_single_cert(chain.to_vec(), key)
        });
    match fitted {
        Ok(_) => Finding::ok("certificate key", "it matches the certificate"),
        Err(error) => Finding::fail(
            "certificate key",
            error.to_string(),
            "Name the key that belongs to the certificate",
        ),
    }
}

fn name_fits(leaf: &ParsedCertificate<'_>, hostname: &str) -> Finding {
    let name = ServerName::try_from(hostname);
    if name.is_ok_and(|name| verify_server_name(leaf, &name).is_ok()) {
        return Finding::ok("certificate name", format!("it is for {hostname}"));
    }
    Finding::warn(
        "certificate name",
        format!("it is not for {hostname}"),
        "Get one for the hostname: senders that follow MTA-STS refuse any other",
    )
}

/// No certificate authority is asked: a path without any is followed, which looks at the dates before it
/// looks for a signer.
fn dates(leaf: &ParsedCertificate<'_>, rest: &[CertificateDer<'_>], now: u64) -> Finding {
    let wrong_at = |unix: u64| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(unix));
        let algorithms = rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all;
        let path =
            verify_server_cert_signed_by_trust_anchor(leaf, &RootCertStore::empty(), rest, time, algorithms);
        match path {
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before,
                ..
            })) => Some((("it becomes valid", "from now"), not_before.as_secs())),
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after, ..
            })) => Some((("it expired", "ago"), not_after.as_secs())),
            _ => None,
        }
    };
    let fix = "Renew it; the relay reads the files again automatically";
    if let Some(((what, when), at)) = wrong_at(now) {
        let seen = format!("{what} {} days {when}", days_between(now, at).unsigned_abs());
        return Finding::fail("certificate dates", seen, fix);
    }
    match wrong_at(now.saturating_add(CERTIFICATE_WARN_SECS)) {
        Some((_, at)) => {
            let seen = format!("it expires in {} days", days_between(now, at));
            Finding::warn("certificate dates", seen, fix)
        }
        None => {
            let days = CERTIFICATE_WARN_SECS / 86_400;
            Finding::ok(
                "certificate dates",
                format!("it is valid for at least another {days} days"),
            )
        }
    }
}

/// Whole days, negative where `then` is before `now`.
fn days_between(now: u64, then: u64) -> i64 {
    let seconds = i64::try_from(then).unwrap_or(i64::MAX) - i64::try_from(now).unwrap_or(i64::MAX);
    seconds.div_euclid(86_400)
}
