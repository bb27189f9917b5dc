/// Something that must always hold.
pub struct Rule {
    /// Its number, from 1.
    pub number: i32,
    /// What it says.
    pub words: &'static str,
    /// Whether it holds while requests are under way; otherwise once nothing is.
    pub at_any_moment: bool,
    /// Finds what breaks it: rows of one text.
    pub sql: &'static str,
}

/// The rule that tells of what never came to an end.
pub(super) const EVENTS: i32 = 5;

/// The nine rules.
pub const RULES: &[Rule] = &[
    Rule {
        number: 1,
        words: "0 ≤ reserved ≤ on hand = Σ movements",
        at_any_moment: true,
        sql: include_str!("1_stock.sql"),
    },
    Rule {
        number: 2,
        words: "what is sold was charged exactly once",
        at_any_moment: false,
        sql: include_str!("2_charges.sql"),
    },
    Rule {
        number: 3,
        words: "taken - returned = sold - given back of it",
        at_any_moment: false,
        sql: include_str!("3_money.sql"),
    },
    Rule {
        number: 4,
        words: "a cancelled order keeps no stock, no money",
        at_any_moment: false,
        sql: include_str!("4_cancelled.sql"),
    },
    Rule {
        number: EVENTS,
        words: "each event was published, with one effect",
        at_any_moment: false,
        sql: include_str!("5_events.sql"),
    },
    Rule {
        number: 6,
        words: "versions are gapless, histories legal",
        at_any_moment: true,
        sql: include_str!("6_histories.sql"),
    },
    Rule { number: 7, words: "one key made one thing", at_any_moment: false, sql: include_str!("7_keys.sql") },
    Rule { number: 8, words: "total = Σ quantity × price", at_any_moment: true, sql: include_str!("8_totals.sql") },
    Rule {
        number: 9,
        words: "nothing waits past its deadline",
        at_any_moment: false,
        sql: include_str!("9_deadlines.sql"),
    },
];
