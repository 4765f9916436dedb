//! The XML of resources: User, Users, Team, Teams, ReasonCodes, Dialogs, SystemInfo.
