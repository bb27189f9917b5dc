//! Which versions are kept.

use plaza::rollout::{Entry, Standing, Tried, What};

use crate::scene::{COMPONENT, Scene, on_each};

async fn kept(scene: &Scene) -> Vec<u32> {
    let kept = scene.0.versions(COMPONENT).await.unwrap();
    kept.iter().map(|kept| kept.version.number).collect()
}

#[test]
fn the_five_that_answered_last_are_kept_whatever_their_numbers() {
    on_each(async |scene| {
        scene.start("file").await;
        for number in 2..=7 {
            scene.deploy(&format!("deployed {number}")).await;
        }
        assert_eq!(kept(scene).await, [7, 6, 5, 4, 3]);
        scene.roll_back_to(3).await;
        scene.deploy("deployed 8").await;
        assert_eq!(kept(scene).await, [8, 7, 6, 5, 3]);
        scene.deploy("deployed 9").await;
        assert_eq!(kept(scene).await, [9, 8, 7, 6, 3]);
    });
}

#[test]
fn a_version_that_is_refused_is_forgotten_and_its_number_is_not_given_again() {
    on_each(async |scene| {
        scene.start("file").await;
        scene.deploy("deployed").await;
        for number in 3..=9 {
            let refused = scene.add(&format!("refused {number}")).await;
            assert_eq!(refused.number, number);
            scene.0.refuse(COMPONENT, Some(refused.number), "it traps".to_owned()).await.unwrap();
        }
        assert_eq!(kept(scene).await, [2, 1]);
        let history = scene.0.history(COMPONENT).await.unwrap();
        assert_eq!((history[0].number, history[0].what.as_str()), (9, "refused"));
        assert_eq!(scene.deploy("deployed").await, 10);
        assert_eq!(kept(scene).await, [10, 2, 1]);
    });
}

#[test]
fn what_is_on_trial_or_about_to_answer_is_kept_and_what_never_did_goes_with_the_next() {
    on_each(async |scene| {
        scene.start("file").await;
        let version = scene.add("on trial").await;
        let entry = |what| Entry { number: Some(2), what, detail: None };
        let tried = Tried { version, share: "10%".parse().unwrap(), seconds: 60 };
        let on_trial = Standing { trial: Some(tried), ..scene.standing().await };
        let stands = scene.0.stand(COMPONENT, &on_trial, entry(What::Trial)).await.unwrap();
        scene.0.stand(COMPONENT, &Standing { trial: None, ..stands }, entry(What::RolledBack)).await.unwrap();
        assert_eq!(kept(scene).await, [2, 1]);
        scene.deploy("deployed").await;
        assert_eq!(kept(scene).await, [3, 1]);
    });
}
