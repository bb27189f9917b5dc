//! What is told from a statement's words.

use super::*;

#[test]
fn transactions_are_told_by_the_leading_keyword() {
    let effect = |sql: &str| classify(sql).transaction;
    assert_eq!(effect("  begin isolation level serializable"), TransactionEffect::Opens);
    assert_eq!(effect("/* a /* b */ c */ -- x\n START TRANSACTION"), TransactionEffect::Opens);
    assert_eq!(effect("COMMIT"), TransactionEffect::Commits);
    assert_eq!(effect("end;"), TransactionEffect::Commits);
    assert_eq!(effect("commit and chain"), TransactionEffect::Continues);
    assert_eq!(effect("commit and no chain"), TransactionEffect::Commits);
    assert_eq!(effect("rollback"), TransactionEffect::RollsBack);
    assert_eq!(effect("ROLLBACK WORK TO SAVEPOINT a"), TransactionEffect::None);
    assert_eq!(effect("rollback prepared 'x'"), TransactionEffect::None);
    assert_eq!(effect("prepare transaction 'x'"), TransactionEffect::Commits);
    assert_eq!(effect("select 'begin'"), TransactionEffect::None);
    assert_eq!(effect("savepoint a"), TransactionEffect::None);
}

#[test]
fn statements_that_change_the_session_are_seen() {
    for sql in [
        "SET search_path = x",
        "listen a",
        "PREPARE p AS SELECT 1",
        "create temp table t (a int)",
        "CREATE LOCAL TEMPORARY TABLE t (a int)",
        "declare c cursor for select 1",
        "select pg_advisory_lock(1)",
        "select a into temp t from b",
        "discard all",
        "select set_config('a.b', '1', false)",
        "reset role",
    ] {
        assert!(classify(sql).changes_session, "{sql}");
    }
    for sql in [
        "set local statement_timeout = 5",
        "SET TRANSACTION READ ONLY",
        "select pg_advisory_xact_lock(1)",
        "select 'pg_advisory_lock'",
        "select \"temp\" from t",
        "insert into t values ($1)",
        "update t set a = 1",
    ] {
        assert!(!classify(sql).changes_session, "{sql}");
    }
}

#[test]
fn writes_are_seen_also_inside_a_with() {
    for sql in [
        "insert into t values (1)",
        "with a as (update t set b = 1 returning *) select * from a",
        "call p()",
        "truncate t",
        "commit",
        "select 1 into t",
        "copy t from stdin",
        "do $$ begin end $$",
    ] {
        assert!(classify(sql).writes, "{sql}");
    }
    for sql in [
        "select 1",
        "with a as (select 1) select * from a",
        "select * from t for update",
        "select * from t for no key update",
        "show all",
        "begin",
        "rollback",
        "select 'insert'",
        "values (1)",
        "select $tag$ delete $tag$, $1, E'a\\' update '",
        "select updated, \"delete\" from t -- insert",
    ] {
        assert!(!classify(sql).writes, "{sql}");
    }
}

#[test]
fn unfinished_text_does_not_hang() {
    for sql in ["", "'", "\"", "/*", "$a$", "--", "$", "e'\\", "é", "select '…"] {
        classify(sql);
    }
}
