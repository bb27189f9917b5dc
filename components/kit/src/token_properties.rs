use proptest::prelude::*;

use super::*;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";

fn caller() -> impl Strategy<Value = Caller> {
    let role = prop_oneof![Just(Role::Customer), Just(Role::Admin)];
    (any::<i64>(), role, proptest::option::of("[a-z0-9-]{0,40}")).prop_map(|(user_id, role, session)| Caller {
        user_id,
        role,
        session,
    })
}

fn pair(byte: u8) -> (Issuer, Verifier) {
    let seed = BASE64_URL_SAFE_NO_PAD.encode([byte; 32]);
    (Issuer::from_base64(&seed).unwrap(), Verifier::from_base64(&public_of(&seed).unwrap()).unwrap())
}

proptest! {
    #[test]
    fn a_token_speaks_for_its_caller_until_it_ends(
        caller in caller(),
        now_s in 0..4_000_000_000_i64,
        age_s in 0..2_000_i64,
    ) {
        let (issuer, verifier) = pair(1);
        let verified = verifier.verify(&issuer.issue(&caller, now_s), now_s + age_s);
        let expected = match age_s < ACCESS_TOKEN_S {
            true => Ok((caller, now_s + ACCESS_TOKEN_S)),
            false => Err(TokenError::Expired),
        };
        prop_assert_eq!(verified, expected);
    }

    #[test]
    fn a_token_with_one_letter_changed_speaks_for_nobody(
        caller in caller(),
        place: prop::sample::Index,
        letter: prop::sample::Index,
    ) {
        let (issuer, verifier) = pair(1);
        let token = issuer.issue(&caller, 1000);
        let place = place.index(token.len());
        let letter = &ALPHABET[letter.index(ALPHABET.len())..][..1];
        let changed = format!("{}{letter}{}", &token[..place], &token[place + 1..]);
        prop_assume!(changed != token);
        prop_assert_eq!(verifier.verify(&changed, 1001), Err(TokenError::Invalid));
    }

    #[test]
    fn another_keys_token_speaks_for_nobody(caller in caller()) {
        prop_assert_eq!(pair(1).1.verify(&pair(2).0.issue(&caller, 1000), 1001), Err(TokenError::Invalid));
    }

    #[test]
    fn made_up_texts_speak_for_nobody(text in "\\PC{0,80}|[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert_eq!(pair(1).1.verify(&text, 1001), Err(TokenError::Invalid));
    }
}
