//! What a start serves: what was chosen, or a file that is new.

use crate::scene::on_each;

#[test]
fn a_file_that_was_served_once_undoes_no_deploy_however_many_there_were() {
    on_each(async |scene| {
        assert_eq!(scene.start("file").await, 1);
        for number in 2..=9 {
            assert_eq!(scene.deploy(&format!("deployed {number}")).await, number);
        }
        assert_eq!(scene.start("file").await, 9);
        assert_eq!(scene.start("file").await, 9);
    });
}

#[test]
fn a_file_that_is_new_goes_before_what_was_deployed() {
    on_each(async |scene| {
        scene.start("file").await;
        scene.deploy("deployed").await;
        assert_eq!(scene.start("built anew").await, 3);
        assert_eq!(scene.start("built anew").await, 3);
    });
}

#[test]
fn a_start_does_not_undo_a_rollback() {
    on_each(async |scene| {
        scene.start("first image").await;
        assert_eq!(scene.start("second image").await, 2);
        scene.roll_back_to(1).await;
        assert_eq!(scene.start("second image").await, 1);
        assert_eq!(scene.start("third image").await, 3);
    });
}

#[test]
fn a_file_that_was_deployed_and_gone_back_from_does_not_come_again() {
    on_each(async |scene| {
        scene.start("file").await;
        assert_eq!(scene.deploy("built anew").await, 2);
        scene.roll_back_to(1).await;
        assert_eq!(scene.start("built anew").await, 1);
    });
}

#[test]
fn the_file_of_an_earlier_image_is_served_again() {
    on_each(async |scene| {
        scene.start("first image").await;
        scene.start("second image").await;
        assert_eq!(scene.start("first image").await, 3);
    });
}
