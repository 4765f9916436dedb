//! Changing a state: the answer, and the event that tells what became of it.

use aplomb_core::domain::Flavour;

use crate::centre::{Centre, check};

#[tokio::test]
async fn a_day_at_the_desk_in_uccx() {
    check(
        Flavour::Uccx,
        "
        1001 PUT /User/1001 state=LOGIN extension=1001   → 202
        node /User/1001      → <extension>1001</extension>
        node /User/1001      → <reasonCodeId>-1</reasonCodeId>
        node /User/1001      → <state>NOT_READY</state>
        node /User/1001      → <event>PUT</event>
        node /Team/1/Users   → <source>/finesse/api/User/1001</source>
        1001 PUT /User/1001 state=READY                  → 202
        node /User/1001      → <state>READY</state>
        1001 PUT /User/1001 state=NOT_READY reasonCodeId=3   → 202
        node /User/1001      → <label>Meeting</label>
        node /Team/1/Users   → <label>Meeting</label>
        1001 GET /User/1001                              → 200 <reasonCodeId>3</reasonCodeId>
        1001 PUT /User/1001 state=READY                  → 202
        1001 PUT /User/1001 state=LOGOUT                 → 202
        node /User/1001      → <extension></extension>
        node /User/1001      → <state>LOGOUT</state>
        ",
    )
    .await;
}

#[tokio::test]
async fn ucce_lets_nobody_sign_out_of_ready_and_tells_it_by_event() {
    check(
        Flavour::Ucce,
        "
        1001 PUT /User/1001 state=LOGIN extension=1001   → 202
        1001 PUT /User/1001 state=READY                  → 202
        1001 PUT /User/1001 state=LOGOUT                 → 202
        node /User/1001      → <errorMessage>CF_INVALID_OBJECT_STATE</errorMessage>
        node /User/1001      → <event>put</event></Update>
        1001 GET /User/1001                              → 200 <state>READY</state>
        ",
    )
    .await;
}

#[tokio::test]
async fn what_fails_later_is_answered_202_first() {
    check(
        Flavour::Ucce,
        "
        1001 PUT /User/1001 state=READY                  → 202
        node /User/1001      → <errorType>Invalid State</errorType>
        1001 PUT /User/1001 state=LOGIN extension=9999   → 202
        node /User/1001      → <errorType>Invalid Device</errorType>
        1002 PUT /User/1002 state=LOGIN extension=1002   → 202
        1001 PUT /User/1001 state=LOGIN extension=1002   → 202
        node /User/1001      → <errorType>Device Busy</errorType>
        1001 GET /User/1001                              → 200 <state>LOGOUT</state>
        ",
    )
    .await;
}

#[tokio::test]
async fn what_is_wrong_at_once_is_answered_400_and_no_event_comes() {
    let centre = Centre::new(Flavour::Uccx).await;
    centre
        .play(
            "
            1001 PUT /User/1001                    → 400 <ErrorType>Parameter Missing</ErrorType>
            1001 PUT /User/1001 state=             → 400 State Parameter missing
            1001 PUT /User/1001 state=LOGIN        → 400 <ErrorData>extension</ErrorData>
            1001 PUT /User/1001 state=TALKING      → 400 <ErrorType>Invalid Input</ErrorType>
            1001 PUT /User/1001 state=NOT_READY reasonCodeId=4711   → 400 reasonCodeId
            1001 PUT /User/1001 state=NOT_READY reasonCodeId=x      → 400 reasonCodeId
            admin PUT /User/admin state=LOGIN extension=1   → 400 <ErrorType>Invalid State
            ",
        )
        .await;
    assert_eq!(centre.events("/finesse/api/User/1001").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_supervisor_steers_his_team_with_the_code_of_the_flavour() {
    for (flavour, code) in [(Flavour::Ucce, 999), (Flavour::Uccx, 33)] {
        check(
            flavour,
            &format!(
                "
                1001 PUT /User/1001 state=LOGIN extension=1001   → 202
                sup1 PUT /User/1001 state=READY                  → 202
                sup1 PUT /User/1001 state=NOT_READY              → 202
                node /User/1001      → <code>{code}</code>
                sup1 PUT /User/1001 state=LOGOUT                 → 202
                node /Team/1/Users   → <code>{code}</code>
                sup1 PUT /User/1001 state=LOGOUT reasonCodeId=6  → 400 Invalid Input
                sup1 PUT /User/1001 state=LOGIN extension=1001   → 401 don't match
                sup2 PUT /User/1001 state=LOGOUT                 → 401 Invalid Supervisor
                "
            ),
        )
        .await;
    }
}
