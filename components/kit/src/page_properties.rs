use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn every_place_of_our_time_survives_its_journey(micros in 0..4_000_000_000_000_000_i64, id: i64) {
        let cursor = Cursor { created_at: DateTime::from_timestamp_micros(micros).unwrap(), id };
        prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn whatever_a_client_makes_up_is_a_place_or_none(text in "\\PC{0,60}|[A-Za-z0-9_-]{0,60}") {
        if let Some(cursor) = Cursor::decode(&text) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    #[test]
    fn pages_that_follow_one_another_show_every_row_once(rows in 0..250_usize, limit in 1..=LIMIT_MAX) {
        let paging = Paging::<Cursor>::new(limit, None, "/things", &[]);
        let (mut shown, mut after) = (Vec::new(), 0);
        loop {
            let fetched: Vec<usize> = (after..rows).take(usize::try_from(paging.fetch()).unwrap()).collect();
            let page = paging.page(fetched, |row| (row + 1).to_string());
            prop_assert!(page.rows.len() <= usize::try_from(limit).unwrap());
            shown.extend(page.rows);
            let Some(next) = page.next else { break };
            after = next.rsplit('=').next().unwrap().parse().unwrap();
        }
        prop_assert_eq!(shown, (0..rows).collect::<Vec<_>>());
    }
}
