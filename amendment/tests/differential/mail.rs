//! A mail as header fields and body, for those who change it. Written for the tests alone, so that it shares
//! no line with the verifier.

/// Header fields with their folds and line ends, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Each with its final CRLF.
    pub fields: Vec<Vec<u8>>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

/// The name before the colon.
pub(crate) fn name_of(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|b| *b == b':').unwrap_or(field.len());
    field[..end].trim_ascii_end()
}

/// Whether a field has that name.
pub(crate) fn is_named(field: &[u8], name: &str) -> bool {
    name_of(field).eq_ignore_ascii_case(name.as_bytes())
}

/// What follows the colon, final line end included.
pub(crate) fn value_of(field: &[u8]) -> &[u8] {
    let start = field
        .iter()
        .position(|b| *b == b':')
        .map_or(field.len(), |at| at + 1);
    &field[start..]
}

impl Mail {
    /// Splits at the first empty line; `None` where there is none.
    pub(crate) fn split(raw: &[u8]) -> Option<Mail> {
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let mut at = 0;
        loop {
            let end = at + raw[at..].iter().position(|b| *b == b'\n')? + 1;
            let line = &raw[at..end];
            at = end;
            match line {
                b"\r\n" | b"\n" => break,
                [b' ' | b'\t', ..] if !fields.is_empty() => fields.last_mut()?.extend_from_slice(line),
                _ => fields.push(line.to_vec()),
            }
        }
        Some(Mail {
            fields,
            body: raw[at..].to_vec(),
        })
    }

    /// The bytes again.
    pub(crate) fn join(&self) -> Vec<u8> {
        [&self.fields.concat()[..], b"\r\n", &self.body].concat()
    }

    /// Positions of the DKIM-Signature fields.
    pub(crate) fn signatures(&self) -> Vec<usize> {
        let named = |at: &usize| is_named(&self.fields[*at], "dkim-signature");
        (0..self.fields.len()).filter(named).collect()
    }

    /// The same mail with one of its signatures alone.
    pub(crate) fn with_only(&self, signature: usize) -> Mail {
        let keep = self.signatures().get(signature).copied();
        let fields = self.fields.iter().enumerate();
        let fields = fields.filter(|(at, field)| Some(*at) == keep || !is_named(field, "dkim-signature"));
        Mail {
            fields: fields.map(|(_, field)| field.clone()).collect(),
            body: self.body.clone(),
        }
    }

    /// Names in `h=` of all signatures, lower case.
    pub(crate) fn signed_names(&self) -> Vec<String> {
        let fields = self.signatures().into_iter().map(|at| &self.fields[at]);
        fields
            .filter_map(|field| tag(value_of(field), "h"))
            .flat_map(|list| names_in(&list))
            .collect()
    }
}

/// The names of an `h=` list, lower case.
pub(crate) fn names_in(list: &[u8]) -> Vec<String> {
    let names = list
        .split(|b| *b == b':')
        .map(|name| name.trim_ascii().to_ascii_lowercase());
    names
        .map(|name| String::from_utf8_lossy(&name).into_owned())
        .collect()
}

/// The value of the first tag of that name.
pub(crate) fn tag(list: &[u8], name: &str) -> Option<Vec<u8>> {
    list.split(|b| *b == b';').find_map(|tag| {
        let equals = tag.iter().position(|b| *b == b'=')?;
        (tag[..equals].trim_ascii() == name.as_bytes()).then(|| tag[equals + 1..].trim_ascii().to_vec())
    })
}
