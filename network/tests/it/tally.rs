//! What happened in a run, and what must have.

/// What happened in a run, or in several.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub deaths: u64,
    pub power_cuts: u64,
    pub torn_writes: u64,
    pub partitions: u64,
    pub losses: u64,
    pub pauses: u64,
    pub lies: u64,
    pub equivocations: u64,
    pub joins: u64,
    pub leaves: u64,
    pub replaced_keys: u64,
    pub freezes: u64,
    pub lifts: u64,
    pub shut_out: u64,
    pub ledgers: u64,
}

impl Tally {
    /// What a run of several seeds must have seen.
    pub(crate) fn must_have_happened(&self) -> [(&'static str, u64); 13] {
        [
            ("deaths", self.deaths),
            ("power cuts", self.power_cuts),
            ("torn writes", self.torn_writes),
            ("partitions", self.partitions),
            ("losses or pauses", self.losses + self.pauses),
            ("equivocations", self.equivocations),
            ("joins", self.joins),
            ("leaves", self.leaves),
            ("replaced keys", self.replaced_keys),
            ("freezes", self.freezes),
            ("lifts", self.lifts),
            ("nodes shut out", self.shut_out),
            ("ledgers", self.ledgers),
        ]
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.deaths += other.deaths;
        self.power_cuts += other.power_cuts;
        self.torn_writes += other.torn_writes;
        self.partitions += other.partitions;
        self.losses += other.losses;
        self.pauses += other.pauses;
        self.lies += other.lies;
        self.equivocations += other.equivocations;
        self.joins += other.joins;
        self.leaves += other.leaves;
        self.replaced_keys += other.replaced_keys;
        self.freezes += other.freezes;
        self.lifts += other.lifts;
        self.shut_out += other.shut_out;
        self.ledgers += other.ledgers;
    }
}
