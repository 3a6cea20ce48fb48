-- Of an entry about somebody: what was decided is the organization's, and stays when the text is gone. The chain covers it
-- as it is.
alter table audit_entry add column kept jsonb;
