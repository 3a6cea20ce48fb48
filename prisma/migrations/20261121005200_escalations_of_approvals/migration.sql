-- Each decision settles the escalations that ask for it.
create index escalation_organization_id_approval_id_idx on escalation (organization_id, approval_id);
