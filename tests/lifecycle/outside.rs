//! A PostgreSQL of the operator's own.

use plaza_tests::letters::Letters;

#[test]
fn the_password_for_a_server_outside_may_stand_in_a_file() {
    let owner = Letters::setup().start();
    let (url, folder) = (owner.setup().state().database_owner_url(), owner.setup().state().path().to_owned());
    let (user, place) = url.split_once('@').and_then(|(user, place)| Some((user.rsplit_once(':')?.0, place))).unwrap();
    let address = format!("{user}@{place}");
    let with_password_in = |file: &str| {
        let setup = Letters::setup().argument("--database-url").argument(&address);
        setup.argument("--database-password-file").argument(folder.join(file).to_str().unwrap())
    };
    with_password_in("postgres-password").start();
    // Any other file of the folder holds another word.
    let refused = with_password_in("postgres-port").refused();
    assert!(refused.code != Some(0) && refused.stderr.contains("password"), "{}", refused.stderr);
    let missing = with_password_in("nothing").refused();
    assert!(missing.code != Some(0) && missing.stderr.contains("cannot read"), "{}", missing.stderr);
}
