//! Who sent a mail: provider and mail program, as far as the mail itself says. Most of what is read here is
//! unsigned, so no rule looks at it; it only chooses the words in which a refusal is explained.
//!
//! Spec: 12.

use amendment::dkim::canon;
use amendment::limits::SIGNATURES_READ_MAX;
use amendment::mail::message::{HeaderField, Mail};
use amendment::mail::text::{lines, split_at_byte, trim_fws};

/// A mail provider of which it is known what it signs (`xahau-email providers` shows it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// gmail.com.
    Gmail,
    /// Domains of others at Google.
    GoogleWorkspace,
    /// outlook.com, hotmail.com, live.com, msn.com.
    OutlookCom,
    /// Domains of others at Microsoft.
    Microsoft365,
    /// yahoo.com and its country domains.
    Yahoo,
    /// aol.com.
    Aol,
    /// icloud.com, me.com, mac.com.
    ICloud,
    /// proton.me, protonmail.com, pm.me.
    Proton,
    /// fastmail.com, and domains of others there.
    Fastmail,
    /// zohomail.com.
    Zoho,
    /// gmx.de, gmx.net, gmx.com.
    Gmx,
    /// web.de.
    WebDe,
    /// mail.ru, inbox.ru, bk.ru.
    MailRu,
    /// yandex.ru.
    Yandex,
    /// qq.com, foxmail.com.
    Qq,
    /// 163.com, 126.com, yeah.net.
    NetEase,
    /// posteo.net, posteo.de.
    Posteo,
    /// mailbox.org.
    MailboxOrg,
    /// tutanota.com, tuta.io.
    Tuta,
}

/// Signing domains of providers. Source: DKIM-Signature fields of public list mail up to 2026-07-15, counted
/// 2026-11-20.
const DOMAINS: [(&str, Provider); 41] = [
    ("gmail.com", Provider::Gmail),
    ("googlemail.com", Provider::Gmail),
    ("outlook.com", Provider::OutlookCom),
    ("hotmail.com", Provider::OutlookCom),
    ("live.com", Provider::OutlookCom),
    ("msn.com", Provider::OutlookCom),
    ("yahoo.com", Provider::Yahoo),
    ("yahoo.fr", Provider::Yahoo),
    ("yahoo.ca", Provider::Yahoo),
    ("rocketmail.com", Provider::Yahoo),
    ("aol.com", Provider::Aol),
    ("verizon.net", Provider::Aol),
    ("icloud.com", Provider::ICloud),
    ("me.com", Provider::ICloud),
    ("mac.com", Provider::ICloud),
    ("proton.me", Provider::Proton),
    ("protonmail.com", Provider::Proton),
    ("pm.me", Provider::Proton),
    ("fastmail.com", Provider::Fastmail),
    ("messagingengine.com", Provider::Fastmail),
    ("zohomail.com", Provider::Zoho),
    ("gmx.de", Provider::Gmx),
    ("gmx.net", Provider::Gmx),
    ("gmx.com", Provider::Gmx),
    ("web.de", Provider::WebDe),
    ("mail.ru", Provider::MailRu),
    ("inbox.ru", Provider::MailRu),
    ("bk.ru", Provider::MailRu),
    ("yandex.ru", Provider::Yandex),
    ("qq.com", Provider::Qq),
    ("foxmail.com", Provider::Qq),
    ("163.com", Provider::NetEase),
    ("126.com", Provider::NetEase),
    ("yeah.net", Provider::NetEase),
    ("posteo.net", Provider::Posteo),
    ("posteo.de", Provider::Posteo),
    ("mailbox.org", Provider::MailboxOrg),
    ("tutanota.com", Provider::Tuta),
    ("tuta.io", Provider::Tuta),
    // With which they sign for domains that have no key of their own.
    ("gappssmtp.com", Provider::GoogleWorkspace),
    ("onmicrosoft.com", Provider::Microsoft365),
];

/// In `h=` of every signature that Microsoft makes; the header itself is never in the mail.
const MICROSOFT_SIGNED_NAME: &[u8] = b"x-ms-exchange-senderadcheck";
/// Selector of the keys that Google Workspace makes for its customers' domains.
const WORKSPACE_SELECTOR: &[u8] = b"google";

impl Provider {
    /// Every one.
    pub const ALL: [Provider; 19] = [
        Provider::Gmail,
        Provider::GoogleWorkspace,
        Provider::OutlookCom,
        Provider::Microsoft365,
        Provider::Yahoo,
        Provider::Aol,
        Provider::ICloud,
        Provider::Proton,
        Provider::Fastmail,
        Provider::Zoho,
        Provider::Gmx,
        Provider::WebDe,
        Provider::MailRu,
        Provider::Yandex,
        Provider::Qq,
        Provider::NetEase,
        Provider::Posteo,
        Provider::MailboxOrg,
        Provider::Tuta,
    ];

    /// Its name for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Gmail => "Gmail",
            Provider::GoogleWorkspace => "Google Workspace",
            Provider::OutlookCom => "Outlook.com",
            Provider::Microsoft365 => "Microsoft 365",
            Provider::Yahoo => "Yahoo",
            Provider::Aol => "AOL",
            Provider::ICloud => "iCloud",
            Provider::Proton => "Proton",
            Provider::Fastmail => "Fastmail",
            Provider::Zoho => "Zoho",
            Provider::Gmx => "GMX",
            Provider::WebDe => "web.de",
            Provider::MailRu => "Mail.ru",
            Provider::Yandex => "Yandex",
            Provider::Qq => "QQ",
            Provider::NetEase => "NetEase",
            Provider::Posteo => "Posteo",
            Provider::MailboxOrg => "mailbox.org",
            Provider::Tuta => "Tuta",
        }
    }

    /// The signing domains by which a mail of this provider is known.
    pub fn domains(self) -> impl Iterator<Item = &'static str> {
        DOMAINS
            .iter()
            .filter(move |(_, provider)| *provider == self)
            .map(|(domain, _)| *domain)
    }

    /// The provider that signs with this domain or, at Google and Microsoft, with a name below it.
    fn of_domain(domain: &[u8]) -> Option<Provider> {
        let below = |parent: &str| {
            let from = domain.len().checked_sub(parent.len())?;
            let (head, tail) = domain.split_at_checked(from)?;
            (head.last() == Some(&b'.') && tail.eq_ignore_ascii_case(parent.as_bytes())).then_some(())
        };
        DOMAINS
            .iter()
            .find(|(known, provider)| {
                domain.eq_ignore_ascii_case(known.as_bytes())
                    || (matches!(provider, Provider::GoogleWorkspace | Provider::Microsoft365)
                        && below(known).is_some())
            })
            .map(|(_, provider)| *provider)
    }
}

/// A mail program that names itself, or that is known by the boundaries it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Outlook, of any kind.
    Outlook,
    /// Apple Mail on a computer.
    AppleMail,
    /// Mail of iPhone and iPad.
    IPhoneMail,
    /// Thunderbird.
    Thunderbird,
    /// Gmail's web page and programs.
    Gmail,
}

/// How programs name themselves in X-Mailer or User-Agent; the first that stands there counts.
const PROGRAMS: [(&[u8], Client); 6] = [
    (b"outlook", Client::Outlook),
    (b"iphone mail", Client::IPhoneMail),
    (b"ipad mail", Client::IPhoneMail),
    (b"apple mail", Client::AppleMail),
    (b"thunderbird", Client::Thunderbird),
    (b"icedove", Client::Thunderbird),
];

/// How the first delimiter of a multipart begins.
const BOUNDARIES: [(&[u8], Client); 4] = [
    (b"--_000_", Client::Outlook),
    (b"------=_nextpart_", Client::Outlook),
    (b"--apple-mail", Client::AppleMail),
    (b"--000000000000", Client::Gmail),
];

impl Client {
    /// Its name for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Client::Outlook => "Outlook",
            Client::AppleMail => "Apple Mail",
            Client::IPhoneMail => "iPhone Mail",
            Client::Thunderbird => "Thunderbird",
            Client::Gmail => "Gmail",
        }
    }

    fn of(mail: &Mail<'_>) -> Option<Client> {
        let named = mail
            .fields
            .iter()
            .filter(|field| is_named(field, b"x-mailer") || is_named(field, b"user-agent"))
            .find_map(|field| {
                let value = canon::value(field.raw).to_ascii_lowercase();
                let holds = |word: &[u8]| memchr::memmem::find(&value, word).is_some();
                PROGRAMS
                    .iter()
                    .find(|(word, _)| holds(word))
                    .map(|(_, client)| *client)
            });
        let first = lines(mail.body).find(|line| line.starts_with(b"--"));
        let first = first.unwrap_or_default().to_ascii_lowercase();
        named.or_else(|| {
            let known = BOUNDARIES.iter().find(|(head, _)| first.starts_with(head));
            known.map(|(_, client)| *client)
        })
    }
}

/// Whether a field has this name; ASCII case aside.
pub(crate) fn is_named(field: &HeaderField<'_>, name: &[u8]) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// The value of a tag of a DKIM-Signature field, also where the tag list as a whole is refused.
pub(crate) fn tag<'a>(field: &HeaderField<'a>, name: &str) -> Option<&'a [u8]> {
    canon::value(field.raw).split(|b| *b == b';').find_map(|tag| {
        let (found, value) = split_at_byte(tag, b'=')?;
        (trim_fws(found) == name.as_bytes()).then(|| trim_fws(value))
    })
}

/// Who sent a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The provider that signed it.
    pub provider: Option<Provider>,
    /// The program that wrote it.
    pub client: Option<Client>,
}

impl Origin {
    /// Reads the chosen signature first, then the others.
    pub(crate) fn of(mail: &Mail<'_>, chosen: Option<usize>) -> Origin {
        let others = mail.signature_positions().take(SIGNATURES_READ_MAX);
        let provider = chosen
            .into_iter()
            .chain(others)
            .filter_map(|position| mail.fields.get(position))
            .find_map(signed_by);
        Origin {
            provider,
            client: Client::of(mail),
        }
    }
}

fn signed_by(field: &HeaderField<'_>) -> Option<Provider> {
    let mut signed = tag(field, "h").unwrap_or_default().split(|b| *b == b':');
    let microsoft = || {
        signed
            .any(|name| trim_fws(name).eq_ignore_ascii_case(MICROSOFT_SIGNED_NAME))
            .then_some(Provider::Microsoft365)
    };
    let workspace = || {
        let selector = tag(field, "s")?;
        selector
            .eq_ignore_ascii_case(WORKSPACE_SELECTOR)
            .then_some(Provider::GoogleWorkspace)
    };
    Provider::of_domain(tag(field, "d").unwrap_or_default())
        .or_else(microsoft)
        .or_else(workspace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amendment::mail::message::Source;

    fn origin(header: &str, body: &str) -> (Option<&'static str>, Option<&'static str>) {
        let raw = format!("{header}\r\n\r\n{body}");
        let mail = Mail::split(raw.as_bytes(), Source::Door).expect("a mail");
        let origin = Origin::of(&mail, None);
        (
            origin.provider.map(Provider::as_str),
            origin.client.map(Client::as_str),
        )
    }

    // Domains, selectors and signed names: DKIM-Signature fields of public list mail up to 2026-07-15.
    #[test]
    fn providers_are_known_by_their_signature() {
        for (tags, provider) in [
            ("d=gmail.com; s=20251104", Some("Gmail")),
            ("d=Outlook.com; s=selector1", Some("Outlook.com")),
            (
                "d=a-com.20230601.gappssmtp.com; s=20230601",
                Some("Google Workspace"),
            ),
            ("d=company.test; s=google", Some("Google Workspace")),
            (
                "d=company.onmicrosoft.com; s=selector2-company",
                Some("Microsoft 365"),
            ),
            (
                "d=company.test; s=selector1; h=From:Date:X-MS-Exchange-SenderADCheck",
                Some("Microsoft 365"),
            ),
            ("d=evilgappssmtp.com; s=s1", None),
            ("d=sub.gmail.com; s=s1", None),
            ("d=mail.test; s=s1; h=From", None),
            ("d", None),
        ] {
            assert_eq!(
                origin(&format!("DKIM-Signature: {tags}"), "x").0,
                provider,
                "{tags}"
            );
        }
        let two = "DKIM-Signature: d=a.test; s=fm1\r\nDKIM-Signature: d=messagingengine.com; s=fm1";
        assert_eq!(origin(two, "x").0, Some("Fastmail"));
    }

    #[test]
    fn programs_are_known_by_name_or_boundary() {
        for (header, body, client) in [
            ("X-Mailer: Microsoft Outlook 16.0", "x", Some("Outlook")),
            ("User-Agent: Mozilla Thunderbird", "x", Some("Thunderbird")),
            ("X-Mailer: Apple Mail (2.3654)", "x", Some("Apple Mail")),
            ("X-Mailer: iPhone Mail (19A)", "x", Some("iPhone Mail")),
            ("A: b", "--_000_AM0PR01eurp_\r\nx", Some("Outlook")),
            ("A: b", "\r\n--Apple-Mail=_1\r\n", Some("Apple Mail")),
            ("A: b", "--0000000000001f3a9b0643d1e2c7\r\n", Some("Gmail")),
            ("X-Mailer: mine", "-- \r\nme", None),
        ] {
            assert_eq!(origin(header, body).1, client, "{header} {body}");
        }
    }

    #[test]
    fn every_provider_has_a_domain() {
        for provider in Provider::ALL {
            assert!(provider.domains().next().is_some(), "{provider:?}");
        }
    }
}
