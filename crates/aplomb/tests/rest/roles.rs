//! Who may ask for what (Finesse REST guide; the role matrix).

use aplomb_core::domain::Flavour;

use crate::centre::{Centre, basic, check};

/// A row a request, a column a caller: agent 1001, supervisor sup1, administrator, publisher,
/// and nobody. 1001 is in team 1, 1002 in team 2.
const MATRIX: &str = "
    GET  /SystemInfo                            200  200  200  200  200
    GET  /User/1001                             200  200  200  401  401
    GET  /User/1002                             401  401  200  401  401
    GET  /User/sup1                             401  200  200  401  401
    GET  /User/none                             401  401  404  401  401
    HEAD /User/1001                             200  200  200  401  401
    HEAD /User/1002                             401  401  200  401  401
    GET  /User/1001/Dialogs                     200  200  200  401  401
    GET  /User/1002/Dialogs                     401  401  200  401  401
    GET  /User/1001/ReasonCodes?category=LOGOUT 200  401  200  401  401
    GET  /User/1001/ReasonCode/1                200  401  200  401  401
    GET  /Users                                 403  403  200  403  401
    GET  /Teams                                 403  403  200  403  401
    GET  /Team/1                                403  200  200  403  401
    GET  /Team/2                                403  403  200  403  401
    GET  /Team/none                             403  403  404  403  401
    GET  /ReasonCodes?category=ALL              403  403  200  403  401
    GET  /ReasonCode/1                          403  403  200  403  401
    GET  /ReasonCode/4711                       403  403  404  403  401
    PUT  /User/1001                             202  202  401  401  401
    PUT  /User/1002                             401  401  401  401  401
    PUT  /User/none                             401  401  401  401  401
";

#[tokio::test]
async fn each_role_gets_what_the_matrix_says() {
    for flavour in [Flavour::Uccx, Flavour::Ucce] {
        let centre = Centre::new(flavour).await;
        for line in MATRIX.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let body = if words[0] == "PUT" { "state=READY" } else { "" };
            for (who, status) in
                ["1001", "sup1", "admin", "publisher", "nobody"].iter().zip(&words[2..])
            {
                let request = format!("{who} {} {} {body} → {status}", words[0], words[1]);
                centre.play(&request).await;
            }
        }
    }
}

#[tokio::test]
async fn somebody_elses_path_is_told_in_the_guides_words() {
    check(
        Flavour::Uccx,
        "
        1001 GET /User/1002   → 401 <ErrorType>Invalid Authorization User Specified</ErrorType>
        1001 GET /User/1002   → 401 credentials and the uri don't match</ErrorMessage>
        1001 GET /User/1002   → 401 <ErrorData>1002</ErrorData>
        admin GET /User/none  → 404 <ErrorMessage>UNKNOWN_USER</ErrorMessage>
        admin GET /User/none  → 404 <ErrorData>4023</ErrorData>
        admin GET /Team/none  → 404 <ErrorType>TeamId Not Found</ErrorType>
        ",
    )
    .await;
}

#[tokio::test]
async fn a_stranger_cannot_tell_who_exists() {
    let centre = Centre::new(Flavour::Uccx).await;
    let ask = async |who: &str, path: &str| {
        let request = axum::http::Request::get(format!("/finesse/api{path}"));
        let request = request.header("Authorization", basic(who)).body("".into()).unwrap();
        let answer = centre.send(request).await;
        (answer.status, answer.body.replace("1002", "…").replace("9999", "…"))
    };
    assert_eq!(ask("1001", "/User/1002").await, ask("1001", "/User/9999").await);
    assert_eq!(ask("sup1", "/User/1002").await, ask("sup1", "/User/9999").await);
    assert_eq!(ask("1002:wrong", "/User/1").await, ask("9999:wrong", "/User/1").await);
}

#[tokio::test]
async fn a_login_name_and_another_case_are_the_same_user() {
    check(
        Flavour::Uccx,
        "
        SUP1 GET /User/sup1                       → 200 <loginId>sup1</loginId>
        sup1 GET /User/SUP1                       → 200 <loginId>sup1</loginId>
        sup1 PUT /User/Sup1 state=LOGIN extension=sup1   → 202
        node /User/sup1                           → <state>NOT_READY</state>
        ",
    )
    .await;
}

#[tokio::test]
async fn lists_hold_what_they_should() {
    check(
        Flavour::Uccx,
        "
        admin GET /Users          → 200 <Users><User><dialogs>/finesse/api/User/1001/Dialogs
        admin GET /Teams          → 200 <Teams><Team><id>1</id><name>Team 1</name>
        sup1 GET /Team/1          → 200 <users><User><dialogs>/finesse/api/User/1001/Dialogs
        1001 GET /User/1001/Dialogs                        → 200 <Dialogs/>
        1001 GET /User/1001/ReasonCodes?category=NOT_READY → 200 <label>Lunch</label>
        1001 GET /User/1001/ReasonCodes                    → 400 <ErrorData>category</ErrorData>
        1001 GET /User/1001/ReasonCodes?category=no        → 400 <ErrorType>Invalid Input
        1001 GET /User/1001/ReasonCode/4711                → 404 <ErrorType>Not Found
        admin GET /ReasonCodes?category=ALL   → 200 <systemCode>true</systemCode>
        admin GET /ReasonCode/1               → 200 <uri>/finesse/api/ReasonCode/1</uri>
        nobody GET /SystemInfo                → 200 <deploymentType>UCCX</deploymentType>
        nobody GET /SystemInfo                → 200 <status>IN_SERVICE</status>
        ",
    )
    .await;
    let centre = Centre::new(Flavour::Uccx).await;
    let own = "1001 GET /User/1001/ReasonCodes?category=ALL → 200 <systemCode>false</systemCode>";
    centre.play(own).await;
    let request = axum::http::Request::get("/finesse/api/User/1001/ReasonCodes?category=ALL");
    let request = request.header("Authorization", basic("1001")).body("".into()).unwrap();
    let body = centre.send(request).await.body;
    assert!(!body.contains("<systemCode>true</systemCode>"), "the system's are not to be given");
}
