//! The fleet: enrolment, jobs, archive, tables, analysis and pages.
